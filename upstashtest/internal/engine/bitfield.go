package engine

import (
	"math"
	"strings"
)

// field is one operation of BITFIELD.
type field struct {
	op       string // GET, SET or INCRBY
	signed   bool
	width    int
	offset   int // in bits
	value    int64
	overflow string // WRAP, SAT or FAIL
}

const maxStringBits = 512 << 23 // 512 MB

func parseFields(words []string) ([]field, Reply) {
	var fields []field
	overflow := "WRAP"
	for i := 0; i < len(words); {
		op := upper(words[i])
		need := map[string]int{"GET": 2, "SET": 3, "INCRBY": 3, "OVERFLOW": 1}[op]
		if need == 0 || i+need >= len(words) {
			return nil, errorReply(msgSyntax)
		}
		args := words[i+1 : i+1+need]
		i += 1 + need
		if op == "OVERFLOW" {
			switch overflow = upper(args[0]); overflow {
			case "WRAP", "SAT", "FAIL":
			default:
				return nil, errorReply("ERR Invalid OVERFLOW type specified")
			}
			continue
		}
		f, bad := parseField(op, args)
		if isError(bad) {
			return nil, bad
		}
		f.overflow = overflow
		fields = append(fields, f)
	}
	return fields, nilReply
}

func parseField(op string, args []string) (field, Reply) {
	f := field{op: op}
	kind, width := args[0][:min(1, len(args[0]))], args[0][min(1, len(args[0])):]
	var err error
	f.signed = kind == "i"
	if f.width, err = strictAtoi(width); err != nil || kind != "i" && kind != "u" ||
		f.width < 1 || f.width > 64 || !f.signed && f.width > 63 {
		return f, errorReply("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")
	}
	offset, times := strings.CutPrefix(args[1], "#")
	if f.offset, err = strictAtoi(offset); err == nil && times {
		f.offset *= f.width
	}
	if err != nil || f.offset < 0 || f.offset+f.width > maxStringBits {
		return f, errorReply("ERR bit offset is not an integer or out of range")
	}
	if op != "GET" {
		if f.value, err = strictInt(args[2]); err != nil {
			return f, errorReply(msgNotInt)
		}
	}
	return f, nilReply
}

func cmdBitField(e *Engine, c *call) Reply {
	fields, bad := parseFields(c.args[2:])
	if isError(bad) {
		return bad
	}
	writes := false
	for _, f := range fields {
		writes = writes || f.op != "GET"
	}
	if writes && c.info.Name == "BITFIELD_RO" {
		return errorReply("ERR BITFIELD_RO only supports the GET subcommand")
	}
	b, _, bad := e.bytesOf(c.args[1])
	if isError(bad) {
		return bad
	}
	r := array()
	for _, f := range fields {
		if f.op != "GET" {
			for len(b)*8 < f.offset+f.width {
				b = append(b, 0)
			}
		}
		r.Array = append(r.Array, f.apply(b))
	}
	if writes {
		e.raw("SET", c.args[1], string(b), "KEEPTTL")
	}
	return r
}

// apply runs the operation on b, which is long enough for a write.
func (f field) apply(b []byte) Reply {
	old := f.get(b)
	switch f.op {
	case "GET":
		return intReply(old)
	case "SET":
		v, ok := f.fit(f.value, 0)
		if !ok {
			return nilReply
		}
		f.put(b, v)
		return intReply(old)
	}
	v, ok := f.fit(old, f.value)
	if !ok {
		return nilReply
	}
	f.put(b, v)
	return intReply(v)
}

func (f field) get(b []byte) int64 {
	var v uint64
	for i := f.offset; i < f.offset+f.width; i++ {
		v <<= 1
		if i/8 < len(b) {
			v |= uint64(bitAt(b, i))
		}
	}
	if f.signed {
		return int64(v<<(64-f.width)) >> (64 - f.width)
	}
	return int64(v)
}

func (f field) put(b []byte, v int64) {
	for i := range f.width {
		at := f.offset + f.width - 1 - i
		mask := byte(1) << (7 - at%8)
		if v>>i&1 == 1 {
			b[at/8] |= mask
		} else {
			b[at/8] &^= mask
		}
	}
}

// fit adds and brings the sum into the range of the type.
func (f field) fit(a, b int64) (int64, bool) {
	low, high := f.limits()
	sum := a + b
	over := b > 0 && (sum < a || sum > high) || b <= 0 && a > high
	under := b < 0 && (sum > a || sum < low) || b >= 0 && a < low
	switch {
	case !over && !under:
		return sum, true
	case f.overflow == "FAIL":
		return 0, false
	case f.overflow == "SAT" && over:
		return high, true
	case f.overflow == "SAT":
		return low, true
	}
	return f.wrap(sum), true
}

func (f field) limits() (low, high int64) {
	if f.signed {
		return math.MinInt64 >> (64 - f.width), math.MaxInt64 >> (64 - f.width)
	}
	return 0, int64(uint64(1)<<f.width - 1)
}

// wrap keeps the lowest bits.
func (f field) wrap(sum int64) int64 {
	v := uint64(sum) << (64 - f.width)
	if f.signed {
		return int64(v) >> (64 - f.width)
	}
	return int64(v >> (64 - f.width))
}
