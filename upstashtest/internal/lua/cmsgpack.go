package lua

import (
	"encoding/binary"
	"math"

	glua "github.com/yuin/gopher-lua"
)

// maxPackDepth is cmsgpack's: what lies deeper is packed as nil.
const maxPackDepth = 16

// cmsgpack is the library of that name: values as MessagePack.
func (m *Machine) cmsgpack() *glua.LTable {
	return m.l.SetFuncs(m.l.NewTable(), map[string]glua.LGFunction{
		"pack": func(l *glua.LState) int {
			if l.GetTop() == 0 {
				l.ArgError(0, "MessagePack pack needs input.")
			}
			var b []byte
			for i := 1; i <= l.GetTop(); i++ {
				b = appendPacked(b, l.Get(i), 0)
			}
			l.Push(glua.LString(b))
			return 1
		},
		"unpack":       func(l *glua.LState) int { return unpackMany(l, 0, 0, false) },
		"unpack_one":   func(l *glua.LState) int { return unpackMany(l, 1, l.OptInt(2, 0), true) },
		"unpack_limit": func(l *glua.LState) int { return unpackMany(l, l.CheckInt(2), l.OptInt(3, 0), true) },
	})
}

func appendPacked(b []byte, v glua.LValue, depth int) []byte {
	switch v := v.(type) {
	case glua.LString:
		return append(appendLength(b, len(v), 0xa0, 31, 0xd9), v...)
	case glua.LBool:
		if v {
			return append(b, 0xc3)
		}
		return append(b, 0xc2)
	case glua.LNumber:
		return appendPackedNumber(b, float64(v))
	case *glua.LTable:
		if depth < maxPackDepth {
			return appendPackedTable(b, v, depth+1)
		}
	}
	return append(b, 0xc0)
}

// appendLength writes a length: small ones in the mark itself, others behind
// the mark wide (one byte; 0 if there is no such form), wide+1 or wide+2.
func appendLength(b []byte, n int, small byte, most int, wide byte) []byte {
	switch {
	case n <= most:
		return append(b, small|byte(n))
	case n <= math.MaxUint8 && small == 0xa0:
		return append(b, wide, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, wide+1), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, wide+2), uint32(n))
}

func appendPackedNumber(b []byte, f float64) []byte {
	if math.IsNaN(f) {
		f = math.Float64frombits(0x7ff8 << 48) // C's, Go's has one bit more
	}
	if f != math.Trunc(f) || f >= 1<<63 || f < -1<<63 {
		return appendPackedFloat(b, f)
	}
	return appendPackedInteger(b, int64(f))
}

func appendPackedFloat(b []byte, f float64) []byte {
	if float64(float32(f)) == f {
		return binary.BigEndian.AppendUint32(append(b, 0xca), math.Float32bits(float32(f)))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xcb), math.Float64bits(f))
}

// appendPackedInteger takes as few bytes as the number needs.
func appendPackedInteger(b []byte, n int64) []byte {
	switch {
	case n >= 0 && n <= 127, n < 0 && n >= -32:
		return append(b, byte(n))
	case n >= 0 && n <= math.MaxUint8:
		return append(b, 0xcc, byte(n))
	case n >= 0 && n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, 0xcd), uint16(n))
	case n >= 0 && n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, 0xce), uint32(n))
	case n >= 0:
		return binary.BigEndian.AppendUint64(append(b, 0xcf), uint64(n))
	case n >= math.MinInt8:
		return append(b, 0xd0, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, 0xd1), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, 0xd2), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 0xd3), uint64(n))
	}
}

// appendPackedTable writes a list if the keys are 1 to n, a map otherwise.
func appendPackedTable(b []byte, t *glua.LTable, depth int) []byte {
	count, list := 0, true
	for k, _ := t.Next(glua.LNil); k != glua.LNil; k, _ = t.Next(k) {
		count++
		n, ok := k.(glua.LNumber)
		list = list && ok && n >= 1 && float64(n) == math.Trunc(float64(n))
	}
	if list = list && t.MaxN() == count; list {
		b = appendLength(b, count, 0x90, 15, 0xdb)
		for i := 1; i <= count; i++ {
			b = appendPacked(b, t.RawGetInt(i), depth)
		}
		return b
	}
	b = appendLength(b, count, 0x80, 15, 0xdd)
	for k, v := t.Next(glua.LNil); k != glua.LNil; k, v = t.Next(k) {
		b = appendPacked(appendPacked(b, k, depth), v, depth)
	}
	return b
}

// unpackMany pushes up to limit values (0 is all); where pushes first the
// offset behind them, or -1 at the end.
func unpackMany(l *glua.LState, limit, offset int, where bool) int {
	s := l.CheckString(1)
	if offset < 0 || limit < 0 || offset > len(s) {
		l.RaiseError("Invalid request to unpack with offset of %d and limit of %d.", offset, limit)
	}
	r := &packReader{l: l, b: []byte(s)[offset:]}
	var values []glua.LValue
	for len(r.b) > 0 && (limit == 0 || len(values) < limit) {
		values = append(values, r.read(0))
	}
	if where {
		next := len(s) - len(r.b)
		if len(r.b) == 0 {
			next = -1
		}
		l.Push(glua.LNumber(next))
	}
	for _, v := range values {
		l.Push(v)
	}
	return len(values) + map[bool]int{true: 1}[where]
}

type packReader struct {
	l *glua.LState
	b []byte
}

func (r *packReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.l.RaiseError("Missing bytes in input.")
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// number reads n bytes, the highest first.
func (r *packReader) number(n uint64) uint64 {
	v := uint64(0)
	for _, c := range r.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

// sized reads a number whose width its first byte says.
func (r *packReader) sized(c byte) glua.LValue {
	switch {
	case c == 0xca:
		return glua.LNumber(math.Float32frombits(uint32(r.number(4))))
	case c == 0xcb:
		return glua.LNumber(math.Float64frombits(r.number(8)))
	case c <= 0xcf:
		return glua.LNumber(r.number(1 << (c - 0xcc)))
	}
	size := uint64(1) << (c - 0xd0)
	unused := 64 - 8*size
	return glua.LNumber(int64(r.number(size)<<unused) >> unused)
}

func (r *packReader) read(depth int) glua.LValue {
	if depth > 100 {
		r.l.RaiseError("Bad data format in input.")
	}
	switch c := r.take(1)[0]; {
	case c <= 0x7f, c >= 0xe0:
		return glua.LNumber(int8(c))
	case c <= 0x8f:
		return r.table(uint64(c&15), true, depth)
	case c <= 0x9f:
		return r.table(uint64(c&15), false, depth)
	case c <= 0xbf:
		return glua.LString(r.take(uint64(c & 31)))
	case c == 0xc0:
		return glua.LNil
	case c == 0xc2, c == 0xc3:
		return glua.LBool(c == 0xc3)
	case c >= 0xca && c <= 0xd3:
		return r.sized(c)
	case c >= 0xc4 && c <= 0xc6:
		return glua.LString(r.take(r.number(1 << (c - 0xc4))))
	case c >= 0xd9 && c <= 0xdb:
		return glua.LString(r.take(r.number(1 << (c - 0xd9))))
	case c >= 0xdc:
		return r.table(r.number(2<<(c&1)), c >= 0xde, depth)
	}
	r.l.RaiseError("Bad data format in input.")
	return nil
}

func (r *packReader) table(n uint64, pairs bool, depth int) glua.LValue {
	t := r.l.NewTable()
	for i := uint64(1); i <= n; i++ {
		var key glua.LValue = glua.LNumber(i)
		if pairs {
			key = r.read(depth + 1)
		}
		v := r.read(depth + 1)
		if key == glua.LNil {
			r.l.RaiseError("table index is nil")
		}
		t.RawSet(key, v)
	}
	return t
}
