package json

import (
	"errors"
	"fmt"
	"reflect"

	gojson "github.com/goccy/go-json"
)

// Error is a failure to encode or decode. Its text names the Go type and the
// place, never the data: what is cached may be secret.
type Error struct {
	Op   string // "encode" or "decode"
	Type string // the Go type, such as "main.User"
	Err  error  // what the library said; its text may quote the data
}

// Error says what was being done with which type and, if it is known, where
// it went wrong.
func (e *Error) Error() string {
	return fmt.Sprintf("json: %s %s: %s", e.Op, e.Type, reason(e.Err))
}

// Unwrap returns the library's error.
func (e *Error) Unwrap() error { return e.Err }

func reason(err error) string {
	if s, ok := errors.AsType[*gojson.SyntaxError](err); ok {
		return fmt.Sprintf("syntax error at offset %d", s.Offset)
	}
	if t, ok := errors.AsType[*gojson.UnmarshalTypeError](err); ok {
		if t.Field != "" {
			return fmt.Sprintf("field %s does not take this kind of value", t.Field)
		}
		return "this kind of value does not fit"
	}
	if _, ok := errors.AsType[*gojson.UnsupportedTypeError](err); ok {
		return "unsupported type"
	}
	if _, ok := errors.AsType[*gojson.UnsupportedValueError](err); ok {
		return "unsupported value"
	}
	return "failed"
}

// Marshal returns v as JSON. Characters that matter to HTML stay as they are,
// and there is no newline at the end. The error is an [*Error].
func Marshal(v any) ([]byte, error) {
	b, err := gojson.MarshalWithOption(v, gojson.DisableHTMLEscape())
	if err != nil {
		return nil, &Error{Op: "encode", Type: typeName(v), Err: err}
	}
	return b, nil
}

// Append appends v as JSON to dst, which is returned unchanged on an error.
func Append(dst []byte, v any) ([]byte, error) {
	b, err := Marshal(v)
	if err != nil {
		return dst, err
	}
	return append(dst, b...), nil
}

// Unmarshal stores the JSON of data in the value that v points to. Strings of
// the result do not alias data. The error is an [*Error].
func Unmarshal(data []byte, v any) error {
	if err := gojson.Unmarshal(data, v); err != nil {
		return &Error{Op: "decode", Type: typeName(v), Err: err}
	}
	return nil
}

// Valid reports whether data is one JSON value.
func Valid(data []byte) bool { return gojson.Valid(data) }

func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t == nil {
		return "nil"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.String()
}
