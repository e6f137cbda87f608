package strategies

import (
	"encoding"
	"fmt"
	"reflect"
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
