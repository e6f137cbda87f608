package strategies

import (
	"encoding"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/internal/json"
	"github.com/cldcde/restash/internal/keyspace"
)

// Key joins parts into one key, separated by colons. Parts of different text
// give different keys (the number 1 and "1" have the same): each is escaped,
// maps and url.Values are written in sorted order, nil and the empty string
// have spellings of their own, and a type that has no text of its own is
// written as JSON. A key of more than 512 bytes is stored under its hash. It panics on what has no text at all, such as a
// channel or a function.
func Key(parts ...any) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(keyPart(p))
	}
	return b.String()
}

func keyPart(p any) string {
	switch v := p.(type) {
	case nil:
		return "%-"
	case string:
		return keyspace.Escape(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case url.Values:
		return keyValues(v)
	case time.Time:
		return keyspace.Escape(v.UTC().Format(time.RFC3339Nano))
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("strategies: Key: %T has no text: %v", p, err))
		}
		return keyspace.Escape(string(text))
	case fmt.Stringer:
		return keyspace.Escape(v.String())
	}
	return keyReflect(p)
}

func keyReflect(p any) string {
	v := reflect.ValueOf(p)
	switch v.Kind() {
	case reflect.String:
		return keyspace.Escape(v.String())
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return keyspace.Escape(fmt.Sprint(p))
	case reflect.Pointer:
		if v.IsNil() {
			return "%-"
		}
		return keyPart(v.Elem().Interface())
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			return keyMap(v)
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("strategies: Key: %T has no text: %v", p, err))
	}
	return keyspace.Escape(string(text))
}

// keyMap writes a map as name=value pairs, joined by "%&", which no escaped
// text holds.
func keyMap(v reflect.Value) string {
	pairs := make(map[string]string, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		pairs[keyspace.Escape(iter.Key().String())] = keyPart(iter.Value().Interface())
	}
	var b strings.Builder
	b.WriteString("%{")
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		b.WriteString("%&" + name + "%=" + pairs[name])
	}
	b.WriteString("%}")
	return b.String()
}

func keyValues(values url.Values) string {
	var b strings.Builder
	b.WriteString("%{")
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			b.WriteString("%&" + keyspace.Escape(name) + "%=" + keyspace.Escape(v))
		}
	}
	b.WriteString("%}")
	return b.String()
}
