package command

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/cldcde/restash/internal/json"
)

var errNilValue = errors.New("nil is not a value")

// Text returns v as it is stored in Redis: strings and bytes as they are,
// numbers in decimal, booleans as 1 and 0, an [encoding.TextMarshaler] (such
// as [time.Time]) as its text, what can be written and read as binary (such as
// [net/url.URL]) as that, a pointer as what it points to, and anything else as
// JSON. A type of one's own counts as its underlying string, number, boolean or
// bytes. Nil is an error.
//
// A [time.Duration] is refused: nothing says which unit the reader expects. So is what
// [As] could not read back: errors, structs without a field that JSON sees, interfaces
// with methods, strings inside JSON that are no UTF-8, and types with only one half of
// a pair of methods (MarshalText without UnmarshalText).
func Text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", errNilValue
	case string:
		return v, nil
	case []byte:
		if v == nil {
			return "", errNilValue
		}
		return string(v), nil
	case int:
		return strconv.FormatInt(int64(v), 10), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return flag(v), nil
	case float64:
		return Float(v), nil
	case time.Duration:
		return "", errors.New("a time.Duration has no unit here: pass its seconds, milliseconds or String")
	case encoding.TextMarshaler:
		return marshalText(v)
	}
	rv := reflect.ValueOf(v)
	if text, ok, err := marshaled(rv); ok {
		return text, err
	}
	return reflected(rv)
}

func reflected(v reflect.Value) (string, error) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return flag(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Float32:
		return formatFloat(v.Float(), 32), nil
	case reflect.Float64:
		return Float(v.Float()), nil
	case reflect.Slice:
		if !v.IsNil() && v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes()), nil
		}
	}
	return composed(v)
}

// composed is the text of what is none by itself.
func composed(v reflect.Value) (string, error) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return pointed(v)
	case reflect.Slice, reflect.Map:
		if v.IsNil() {
			return "", errNilValue
		}
	}
	if part := lossy(v.Type()); part != "" {
		return "", fmt.Errorf("it could not be read back: %s", part)
	}
	b, err := json.Marshal(v.Interface())
	if replaced(b) {
		return "", fmt.Errorf("a string in %s is no UTF-8: JSON takes bytes as []byte", v.Type())
	}
	return string(b), err
}

func pointed(v reflect.Value) (string, error) {
	if v.IsNil() {
		return "", errNilValue
	}
	if _, ok := v.Interface().(error); ok {
		return "", fmt.Errorf("%s is an error, which has no text to read back: pass its Error()", v.Type())
	}
	return Text(v.Elem().Interface())
}

// Float returns f the way Redis reads and prints numbers: the shortest text
// that gives the same number again, and inf, -inf and nan.
func Float(f float64) string { return formatFloat(f, 64) }

func formatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.FormatFloat(f, format, -1, bits)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func integer(n int64) string { return strconv.FormatInt(n, 10) }

func count(n int) string { return strconv.Itoa(n) }
