package json

import (
	"bytes"
	"encoding/json"
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
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("syntax error at offset %d", s.Offset)
	}
	if t, ok := errors.AsType[*gojson.UnmarshalTypeError](err); ok {
		return misfit(t.Field)
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return misfit(t.Field)
	}
	if _, ok := errors.AsType[*gojson.UnsupportedTypeError](err); ok {
		return "unsupported type"
	}
	if _, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
		return "unsupported value"
	}
	if _, ok := errors.AsType[*gojson.UnsupportedValueError](err); ok {
		return "unsupported value"
	}
	return "failed"
}

func misfit(field string) string {
	if field == "" {
		return "this kind of value does not fit"
	}
	return fmt.Sprintf("field %s does not take this kind of value", field)
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

// AppendPlain is [Append] by encoding/json: slower, and right for pointers to
// pointers and cheap for types with many references.
func AppendPlain(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	e := json.NewEncoder(buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return dst, &Error{Op: "encode", Type: typeName(v), Err: err}
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'}), nil
}

// UnmarshalPlain is [Unmarshal] by encoding/json.
func UnmarshalPlain(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
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
