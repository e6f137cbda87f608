package lua

import (
	"fmt"
	"math"
	"strconv"

	glua "github.com/yuin/gopher-lua"
)

// problem is an error in the words of Redis' cjson.
type problem string

// Error returns the words.
func (p problem) Error() string { return string(p) }

// cjson is the library of that name.
func (m *Machine) cjson() *glua.LTable {
	null := m.l.NewUserData()
	t := m.l.SetFuncs(m.l.NewTable(), map[string]glua.LGFunction{
		"encode": func(l *glua.LState) int {
			b, err := appendJSON(nil, l.CheckAny(1), null, 0)
			if err != nil {
				l.RaiseError("%s", err.Error())
			}
			l.Push(glua.LString(b))
			return 1
		},
		"decode": func(l *glua.LState) int {
			l.Push(decodeJSON(l, l.CheckString(1), null))
			return 1
		},
		"decode_max_depth": luaNothing, "encode_max_depth": luaNothing, "encode_number_precision": luaNothing,
		"encode_sparse_array": luaNothing, "encode_invalid_numbers": luaNothing, "decode_invalid_numbers": luaNothing,
		"encode_keep_buffer": luaNothing,
	})
	t.RawSetString("null", null)
	return t
}

func appendJSON(dst []byte, v glua.LValue, null *glua.LUserData, depth int) ([]byte, error) {
	if depth > maxJSONDepth {
		return nil, problem(fmt.Sprintf("Cannot serialise, excessive depth (%d)", depth))
	}
	switch v := v.(type) {
	case *glua.LNilType:
		return append(dst, "null"...), nil
	case glua.LBool:
		return strconv.AppendBool(dst, bool(v)), nil
	case glua.LString:
		return appendJSONString(dst, string(v)), nil
	case glua.LNumber:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, problem("Cannot serialise number: must not be NaN or Inf")
		}
		return append(dst, cFloat(float64(v), 14)...), nil
	case *glua.LTable:
		return appendTable(dst, v, null, depth)
	case *glua.LUserData:
		if v == null {
			return append(dst, "null"...), nil
		}
	}
	return nil, problem(fmt.Sprintf("Cannot serialise %s: type not supported", v.Type()))
}

// appendTable writes a list if all keys are positive whole numbers, an object
// otherwise. An empty table is an object.
func appendTable(dst []byte, t *glua.LTable, null *glua.LUserData, depth int) ([]byte, error) {
	n, list := listLength(t)
	var err error
	if list {
		dst = append(dst, '[')
		for i := 1; i <= n; i++ {
			if i > 1 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, t.RawGetInt(i), null, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	}
	dst = append(dst, '{')
	first := true
	for k, v := t.Next(glua.LNil); k != glua.LNil; k, v = t.Next(k) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		switch k := k.(type) {
		case glua.LString:
			dst = appendJSONString(dst, string(k))
		case glua.LNumber:
			dst = append(append(append(dst, '"'), cFloat(float64(k), 14)...), '"')
		default:
			return nil, problem("Cannot serialise table: table key must be a number or string")
		}
		if dst, err = appendJSON(append(dst, ':'), v, null, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// listLength decides whether a table is a list; a very sparse one is not.
func listLength(t *glua.LTable) (int, bool) {
	largest, count := 0, 0
	for k, _ := t.Next(glua.LNil); k != glua.LNil; k, _ = t.Next(k) {
		n, ok := k.(glua.LNumber)
		if !ok || n < 1 || float64(n) != math.Trunc(float64(n)) || n > 1<<31 {
			return 0, false
		}
		largest = max(largest, int(n))
		count++
	}
	return largest, count > 0 && (largest <= 10 || largest <= 2*count)
}

// appendJSONString escapes as cjson does: also the slash, and bytes that are
// no UTF-8 pass as they are.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '/':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			if c < 0x20 || c == 0x7f {
				dst = fmt.Appendf(dst, "\\u%04x", c)
				continue
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
