package command

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
)

// What is stored must come back as it was through [As], or be refused before it
// is sent: a value that JSON empties in silence is found out far from its cause.

type binaryBothWays interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// marshaled asks a value by its own methods. They are looked for on its pointer,
// as those of big.Int and url.URL are: what is read back is asked in the same way.
func marshaled(v reflect.Value) (text string, ok bool, err error) {
	if v.Kind() == reflect.Pointer || reflect.PointerTo(v.Type()).NumMethod() == 0 {
		return "", false, nil // what a pointer points to is asked
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	switch m := p.Interface().(type) {
	case encoding.TextMarshaler:
		text, err = marshalText(m)
	case binaryBothWays:
		text, err = marshalBinary(m)
	case encoding.BinaryMarshaler:
		err = fmt.Errorf("%s has MarshalBinary but no UnmarshalBinary to read it back", v.Type())
	case error:
		err = fmt.Errorf("%s is an error, which has no text to read back: pass its Error()", v.Type())
	default:
		return "", false, nil
	}
	return text, true, err
}

func marshalText(v encoding.TextMarshaler) (string, error) {
	t := reflect.TypeOf(v)
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return "", errNilValue
		}
		t = t.Elem()
	}
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "", fmt.Errorf("%s has MarshalText but no UnmarshalText to read it back: pass its text", t)
	}
	b, err := v.MarshalText()
	if err != nil {
		return "", fmt.Errorf("MarshalText of %T: %w", v, err)
	}
	return string(b), nil
}

func marshalBinary(v encoding.BinaryMarshaler) (string, error) {
	b, err := v.MarshalBinary()
	if err != nil {
		err = fmt.Errorf("MarshalBinary of %T: %w", v, err)
	}
	return string(b), err
}

// replaced reports whether encoded JSON holds a character that stands for bytes that
// were no UTF-8: a character that was U+FFFD itself is not escaped.
func replaced(encoded []byte) bool { return bytes.Contains(encoded, []byte(`\ufffd`)) }

var lossyTypes sync.Map // reflect.Type to string

// lossy names the part of t that JSON writes but cannot read back, or is empty.
func lossy(t reflect.Type) string {
	if known, ok := lossyTypes.Load(t); ok {
		return known.(string)
	}
	found := lossyPart(t, map[reflect.Type]bool{})
	lossyTypes.Store(t, found)
	return found
}

func lossyPart(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] || ownJSON(t) {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return t.String() + " is an interface, whose type JSON does not keep"
		}
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return lossyPart(t.Elem(), seen)
	case reflect.Struct:
		return lossyStruct(t, seen)
	}
	return ""
}

func lossyStruct(t reflect.Type, seen map[reflect.Type]bool) string {
	visible := 0
	for f := range t.Fields() {
		if !f.IsExported() && !f.Anonymous || f.Tag.Get("json") == "-" {
			continue
		}
		visible++
		if found := lossyPart(f.Type, seen); found != "" {
			return f.Name + ": " + found
		}
	}
	if visible == 0 && t.NumField() > 0 {
		return t.String() + " has no field that JSON sees"
	}
	return ""
}

// ownJSON reports whether t brings its own way into JSON, as time.Time does.
func ownJSON(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
