package engine

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that keeps the order of its names. It is jp.Keyed,
// so that JSONPath sees into it.
type object struct {
	names  []string
	values map[string]any
}

func newObject() *object { return &object{values: map[string]any{}} }

// ValueForKey returns the value of a name.
func (o *object) ValueForKey(name string) (any, bool) {
	v, ok := o.values[name]
	return v, ok
}

// SetValueForKey sets the value of a name; a new name comes last.
func (o *object) SetValueForKey(name string, v any) {
	if _, ok := o.values[name]; !ok {
		o.names = append(o.names, name)
	}
	o.values[name] = v
}

// RemoveValueForKey removes a name.
func (o *object) RemoveValueForKey(name string) {
	if _, ok := o.values[name]; ok {
		delete(o.values, name)
		o.names = slices.DeleteFunc(o.names, func(n string) bool { return n == name })
	}
}

// Keys returns the names in order.
func (o *object) Keys() []string { return o.names }

var errJSON = errors.New("invalid JSON")

// maxNesting is RedisJSON's.
const maxNesting = 128

// parseJSON reads a document. Whole numbers are int64 where they fit.
func parseJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := parseNode(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errJSON
	}
	return v, nil
}

func parseNode(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		return parseNumber(string(t)), nil
	case json.Delim:
		switch {
		case depth >= maxNesting:
			return nil, errJSON
		case t == '[':
			return parseList(d, depth+1)
		case t == '{':
			return parseObject(d, depth+1)
		}
		return nil, errJSON
	}
	return t, nil
}

func parseList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := parseNode(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	o := newObject()
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseNode(d, depth)
		if err != nil {
			return nil, err
		}
		o.SetValueForKey(name.(string), v)
	}
	_, err := d.Token()
	return o, err
}

// wide is a whole number that 64 bits cannot hold. Its digits are kept.
type wide string

func parseNumber(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if !strings.ContainsAny(s, ".eE") {
		return wide(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.Copysign(math.MaxFloat64, f)
	}
	return f
}

// layout is how a document is printed.
type layout struct{ indent, newline, space string }

func printJSON(v any, l layout) string { return string(appendNode(nil, v, l, 0)) }

func compact(v any) string { return printJSON(v, layout{}) }

func appendNode(dst []byte, v any, l layout, depth int) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return append(dst, printFloat(v)...)
	case wide:
		return append(dst, v...)
	case string:
		return appendQuoted(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			dst = appendNode(appendBreak(dst, i, l, depth+1), e, l, depth+1)
		}
		return append(appendEnd(dst, len(v), l, depth), ']')
	case *object:
		dst = append(dst, '{')
		for i, name := range v.names {
			dst = appendQuoted(appendBreak(dst, i, l, depth+1), name)
			dst = append(append(dst, ':'), l.space...)
			dst = appendNode(dst, v.values[name], l, depth+1)
		}
		return append(appendEnd(dst, len(v.names), l, depth), '}')
	}
	return dst
}

func appendBreak(dst []byte, i int, l layout, depth int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(append(dst, l.newline...), strings.Repeat(l.indent, depth)...)
}

func appendEnd(dst []byte, n int, l layout, depth int) []byte {
	if n == 0 {
		return dst
	}
	return append(append(dst, l.newline...), strings.Repeat(l.indent, depth)...)
}

// printFloat always shows that it is no whole number type: 1 is 1.0.
func printFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-5 || a >= 1e16) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exp, _ := strings.Cut(s, "e")
		sign := ""
		if exp[0] == '-' {
			sign = "-"
		}
		return mantissa + "e" + sign + strings.TrimLeft(exp[1:], "0")
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\b':
			dst = append(dst, `\b`...)
		case r == '\f':
			dst = append(dst, `\f`...)
		case r < 0x20:
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// typeName is what JSON.TYPE calls a value.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int64, wide:
		return "integer"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// equalJSON compares two values; whole numbers equal floats of the same value.
func equalJSON(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalJSON)
	case *object:
		b, ok := b.(*object)
		if !ok || len(a.names) != len(b.names) {
			return false
		}
		for _, name := range a.names {
			if v, ok := b.values[name]; !ok || !equalJSON(a.values[name], v) {
				return false
			}
		}
		return true
	case int64:
		if f, ok := b.(float64); ok {
			return float64(a) == f
		}
	case float64:
		if n, ok := b.(int64); ok {
			return a == float64(n)
		}
	}
	return !isContainer(b) && a == b
}

func isContainer(v any) bool {
	switch v.(type) {
	case []any, *object:
		return true
	}
	return false
}

// mergeJSON applies a merge patch (RFC 7396).
func mergeJSON(target, patch any) any {
	p, ok := patch.(*object)
	if !ok {
		return patch
	}
	t, ok := target.(*object)
	if !ok {
		t = newObject()
	}
	for _, name := range p.names {
		if p.values[name] == nil {
			t.RemoveValueForKey(name)
			continue
		}
		t.SetValueForKey(name, mergeJSON(t.values[name], p.values[name]))
	}
	return t
}
