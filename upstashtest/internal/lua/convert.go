package lua

import (
	"math"
	"strconv"

	glua "github.com/yuin/gopher-lua"

	"github.com/cldcde/restash/client/command"
)

// maxDepth bounds the nesting of what a script returns; a table may hold
// itself.
const maxDepth = 100

// toReply converts what a script returned, by the rules of Redis: numbers lose
// their fraction, false is nil, a list ends at its first nil, and what has no
// counterpart is nil.
func toReply(v glua.LValue, depth int) command.Reply {
	if depth > maxDepth {
		return failure("ERR reached lua stack limit")
	}
	switch v := v.(type) {
	case glua.LString:
		return command.Reply{Kind: command.KindBulk, Bytes: []byte(v)}
	case glua.LNumber:
		return command.Reply{Kind: command.KindInt, Int: toInt(float64(v))}
	case glua.LBool:
		if v {
			return command.Reply{Kind: command.KindInt, Int: 1}
		}
	case *glua.LTable:
		return tableReply(v, depth)
	}
	return command.Reply{Kind: command.KindNil}
}

func toInt(f float64) int64 {
	switch {
	case math.IsNaN(f), f >= math.MaxInt64, f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func tableReply(t *glua.LTable, depth int) command.Reply {
	if text, ok := t.RawGetString("err").(glua.LString); ok {
		return failure(string(text))
	}
	if text, ok := t.RawGetString("ok").(glua.LString); ok {
		return command.Reply{Kind: command.KindStatus, Bytes: []byte(oneLine(string(text)))}
	}
	if r, ok := typedReply(t, depth); ok {
		return r
	}
	r := command.Reply{Kind: command.KindArray, Array: []command.Reply{}}
	for i := 1; ; i++ {
		v := t.RawGetInt(i)
		if v == glua.LNil {
			return r
		}
		r.Array = append(r.Array, toReply(v, depth+1))
	}
}

// toValue converts a reply for the script: nil is false, a status is a table
// with the field ok.
func (m *Machine) toValue(r command.Reply) glua.LValue {
	switch r.Kind {
	case command.KindInt:
		return glua.LNumber(r.Int)
	case command.KindBulk:
		return glua.LString(r.Bytes)
	case command.KindStatus:
		return m.field("ok", string(r.Bytes))
	case command.KindError:
		return m.field("err", string(r.Bytes))
	case command.KindArray:
		t := m.l.CreateTable(len(r.Array), 0)
		for i, e := range r.Array {
			t.RawSetInt(i+1, m.toValue(e))
		}
		return t
	}
	return glua.LFalse
}

func (m *Machine) field(name, text string) *glua.LTable {
	t := m.l.CreateTable(0, 1)
	t.RawSetString(name, glua.LString(text))
	return t
}

// argument converts what a script passes to a command: text and numbers only.
func argument(v glua.LValue) (string, bool) {
	switch v := v.(type) {
	case glua.LString:
		return string(v), true
	case glua.LNumber:
		return number(float64(v), 17), true
	}
	return "", false
}

// number prints whole numbers without a fraction, others as %.<digits>g.
func number(f float64, digits int) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e17 {
		return strconv.FormatInt(int64(f), 10)
	}
	return cFloat(f, digits)
}

// cFloat is %.<digits>g of C, which Lua prints numbers with.
func cFloat(f float64, digits int) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if exp := exponent(f, digits); exp < -4 || exp >= digits {
		return strconv.FormatFloat(f, 'g', digits, 64)
	}
	return trimZeros(strconv.FormatFloat(f, 'f', max(digits-1-exponent(f, digits), 0), 64))
}

// exponent is the decimal exponent of f once rounded to so many digits.
func exponent(f float64, digits int) int {
	if f == 0 {
		return 0
	}
	s := strconv.FormatFloat(f, 'e', digits-1, 64)
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == 'e' {
			n, err := strconv.Atoi(s[i+1:])
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

func trimZeros(s string) string {
	dot := false
	for i := range len(s) {
		dot = dot || s[i] == '.'
	}
	if !dot {
		return s
	}
	end := len(s)
	for s[end-1] == '0' {
		end--
	}
	if s[end-1] == '.' {
		end--
	}
	return s[:end]
}
