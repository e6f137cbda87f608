package strategies

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/internal/keyspace"
)

// Key joins parts into one key, separated by colons. Different parts give
// different keys, with one exception: a number, a truth value, a time and
// whatever else has a text of its own stand as that text, so the number 1 and
// "1" are the same part, and so are nil of any type, and a pointer and what it
// points to. Each part is escaped, and maps and url.Values are written in
// sorted order. Of a struct every field counts, exported or not, whatever its
// tags say; a text counts as a type's own only if the type also reads it back
// (encoding.TextUnmarshaler). A time stands with its offset from UTC. A key of
// more than 512 bytes is stored under its hash. Key panics on what cannot be
// told apart by its contents, such as a channel, a function or a circle of
// pointers.
func Key(parts ...any) string {
	var b strings.Builder
	b.Grow(64) // most keys fit
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(':')
		}
		writePart(&b, p)
	}
	return b.String()
}

// writePart writes one part. Nothing that an escaped text can hold looks like
// what is written for a composite value: those use a percent sign that two
// hexadecimal digits do not follow.
func writePart(b *strings.Builder, p any) {
	switch v := p.(type) {
	case nil:
		b.WriteString(keyNil)
		return
	case string:
		b.WriteString(keyspace.Escape(v))
		return
	case int:
		b.WriteString(strconv.Itoa(v))
		return
	case bool:
		b.WriteString(strconv.FormatBool(v))
		return
	case time.Duration:
		b.WriteString(v.String())
		return
	}
	v := reflect.ValueOf(p)
	if text, ok := ownText(v); ok {
		b.WriteString(keyspace.Escape(text))
		return
	}
	if v.Kind() == reflect.Pointer {
		writePointer(b, v)
		return
	}
	w := keyWriter{b: b}
	if isNumber(v.Kind()) || isText(v.Type()) || v.Type() == plainMap {
		w.value(v) // readable, as it stands in the documentation
		return
	}
	w.typed(v)
}

// writePointer writes what a pointer points to in the pointer's place.
func writePointer(b *strings.Builder, v reflect.Value) {
	switch elem := v.Elem(); {
	case v.IsNil():
		b.WriteString(keyNil)
	case elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Interface:
		w := keyWriter{b: b}
		w.typed(v) // nil behind a pointer is not nil itself
	default:
		writePart(b, elem.Interface())
	}
}

const keyNil = "%-"

func isText(t reflect.Type) bool { return t.Kind() == reflect.String }

func isNumber(k reflect.Kind) bool {
	return k == reflect.Bool || k >= reflect.Int && k <= reflect.Float64 && k != reflect.Uintptr
}

var (
	marshalsText   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshalsText = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType       = reflect.TypeFor[time.Time]()
	stringType     = reflect.TypeFor[string]()
	plainMap       = reflect.TypeFor[map[string]string]()
)

// ownText returns the text of a value whose type reads it back, so that the
// text tells its values apart.
func ownText(v reflect.Value) (string, bool) {
	t := v.Type()
	if t.Kind() == reflect.Pointer && v.IsNil() || !v.CanInterface() {
		return "", false
	}
	if t == timeType {
		return v.Interface().(time.Time).Format("2006-01-02T15:04:05.999999999Z07:00:00"), true
	}
	if !t.Implements(marshalsText) || !readsText(t) {
		return "", false
	}
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		panic(fmt.Sprintf("strategies: Key: %s has no text: %v", t, err))
	}
	return string(text), true
}

// readsText reports whether the type has a text form of its own that it reads
// back. One that it took over from an embedded field says nothing of the other
// fields.
func readsText(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !reflect.PointerTo(t).Implements(unmarshalsText) {
		return false
	}
	if t.Kind() != reflect.Struct {
		return true
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && (f.Type.Implements(marshalsText) || reflect.PointerTo(f.Type).Implements(marshalsText)) {
			return false
		}
	}
	return true
}

// keyWriter writes values so that no two different ones of a type read the
// same: every element has a beginning and an end, and what an interface holds
// is named with its type.
type keyWriter struct {
	b     *strings.Builder
	depth int
}

// maxKeyDepth ends circles of pointers.
const maxKeyDepth = 100

// typed writes a value with its type: in the place of an interface, where
// values of several types meet.
func (w *keyWriter) typed(v reflect.Value) {
	t := v.Type()
	if v.Kind() == reflect.String && t.Name() == "string" {
		w.value(v)
		return
	}
	w.b.WriteString("%!" + keyspace.Escape(t.String()) + "%(")
	w.value(v)
	w.b.WriteString("%)")
}

func (w *keyWriter) value(v reflect.Value) {
	if w.depth++; w.depth > maxKeyDepth {
		panic(fmt.Sprintf("strategies: Key: a circle of pointers, or more than %d levels", maxKeyDepth))
	}
	defer func() { w.depth-- }()
	if v.Type() == timeType && !v.CanInterface() {
		panic("strategies: Key: a time.Time in an unexported field has no text: export the field, or give the time as a part of its own")
	}
	if text, ok := ownText(v); ok {
		w.b.WriteString("%'" + keyspace.Escape(text))
		return
	}
	switch v.Kind() {
	case reflect.String:
		w.b.WriteString(keyspace.Escape(v.String()))
	case reflect.Bool:
		w.b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.int(v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		w.b.WriteString(keyspace.Escape(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())))
	case reflect.Complex64, reflect.Complex128:
		w.b.WriteString(keyspace.Escape(strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits())))
	case reflect.Pointer, reflect.Interface:
		w.reference(v)
	case reflect.Slice, reflect.Array:
		w.list(v)
	case reflect.Map:
		w.pairs(v)
	case reflect.Struct:
		w.fields(v)
	default:
		panic(fmt.Sprintf("strategies: Key: %s has no text", v.Type()))
	}
}

func (w *keyWriter) int(v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		w.b.WriteString(time.Duration(v.Int()).String())
		return
	}
	w.b.WriteString(strconv.FormatInt(v.Int(), 10))
}

func (w *keyWriter) reference(v reflect.Value) {
	switch {
	case v.IsNil():
		w.b.WriteString(keyNil)
	case v.Kind() == reflect.Interface:
		w.typed(v.Elem())
	default:
		w.b.WriteString("%^")
		w.value(v.Elem())
	}
}

func (w *keyWriter) list(v reflect.Value) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		w.b.WriteString(keyNil)
		return
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		raw := make([]byte, v.Len())
		for i := range raw {
			raw[i] = byte(v.Index(i).Uint())
		}
		w.b.WriteString("%<" + keyspace.Escape(string(raw)) + "%>")
		return
	}
	w.b.WriteString("%<")
	for i := range v.Len() {
		w.b.WriteString("%,")
		w.value(v.Index(i))
	}
	w.b.WriteString("%>")
}

// pairs writes a map sorted by its written keys. A list of texts, as url.Values
// and http.Header have them, is written as one pair for each.
func (w *keyWriter) pairs(v reflect.Value) {
	if v.IsNil() {
		w.b.WriteString(keyNil)
		return
	}
	texts := v.Type().Elem().Kind() == reflect.Slice && isText(v.Type().Elem().Elem())
	pairs := make([]string, 0, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		name, value := w.text(iter.Key()), iter.Value()
		if !texts || value.Len() == 0 {
			pairs = append(pairs, "%&"+name+"%="+w.text(value))
			continue
		}
		var b strings.Builder
		for i := range value.Len() {
			b.WriteString("%&" + name + "%=" + w.text(value.Index(i)))
		}
		pairs = append(pairs, b.String())
	}
	slices.Sort(pairs)
	w.b.WriteString("%{" + strings.Join(pairs, "") + "%}")
}

// text is a value apart from what is being written.
func (w *keyWriter) text(v reflect.Value) string {
	if v.Type() == stringType {
		return keyspace.Escape(v.String())
	}
	part := keyWriter{b: new(strings.Builder), depth: w.depth}
	part.value(v)
	return part.b.String()
}

// fields writes every field of a struct, whatever encoders would leave out.
func (w *keyWriter) fields(v reflect.Value) {
	w.b.WriteString("%{")
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if name == "_" {
			continue
		}
		w.b.WriteString("%." + keyspace.Escape(name) + "%=")
		w.value(v.Field(i))
	}
	w.b.WriteString("%}")
}
