package engine

import (
	"math/bits"
)

// bytesOf reads a string value; an absent one is empty and exists is false.
func (e *Engine) bytesOf(key string) (b []byte, exists bool, bad Reply) {
	r := e.getString(key)
	if isError(r) {
		return nil, false, r
	}
	return r.Bytes, !isNil(r), nilReply
}

// bitRange reads "start end [BYTE|BIT]" and returns bit positions, the last
// not included. count is [byteRange] or [clampRange].
func bitRange(words []string, size int, count func(start, end int64, size int) (int, int)) (from, to int, bad Reply) {
	start, err := strictAtoi(words[0])
	if err != nil {
		return 0, 0, errorReply(msgNotInt)
	}
	unit, end := 8, -1
	if len(words) > 1 {
		if end, err = strictAtoi(words[1]); err != nil {
			return 0, 0, errorReply(msgNotInt)
		}
	}
	if len(words) == 3 {
		switch upper(words[2]) {
		case "BIT":
			unit = 1
		case "BYTE":
		default:
			return 0, 0, errorReply(msgSyntax)
		}
	}
	from, to = count(int64(start), int64(end), size*8/unit)
	return from * unit, to * unit, nilReply
}

func cmdBitCount(e *Engine, c *call) Reply {
	words := c.args[2:]
	b, exists, bad := e.bytesOf(c.args[1])
	switch {
	case isError(bad):
		return bad
	case !exists:
		return intReply(0)
	case len(words) == 1 || len(words) > 3:
		return errorReply(msgSyntax)
	}
	from, to := 0, len(b)*8
	if len(words) > 0 {
		if backwards(words) {
			return intReply(0)
		}
		if from, to, bad = bitRange(words, len(b), byteRange); isError(bad) {
			return bad
		}
	}
	n := 0
	for ; from < to && from%8 != 0; from++ {
		n += bitAt(b, from)
	}
	for ; from+8 <= to; from += 8 {
		n += bits.OnesCount8(b[from/8])
	}
	for ; from < to; from++ {
		n += bitAt(b, from)
	}
	return intReply(int64(n))
}

// backwards reports whether both ends count from the end and the first lies behind
// the last. Redis answers that before it looks at the unit.
func backwards(words []string) bool {
	start, err1 := strictAtoi(words[0])
	end, err2 := strictAtoi(words[1])
	return err1 == nil && err2 == nil && end < start && start < 0
}

func bitAt(b []byte, i int) int { return int(b[i/8]>>(7-i%8)) & 1 }

func cmdBitPos(e *Engine, c *call) Reply {
	want, err := strictAtoi(c.args[2])
	if err != nil {
		return errorReply(msgNotInt)
	}
	if want != 0 && want != 1 {
		return errorReply("ERR The bit argument must be 1 or 0.")
	}
	words := c.args[3:]
	b, exists, bad := e.bytesOf(c.args[1])
	switch {
	case isError(bad):
		return bad
	case !exists:
		return intReply(int64(-want))
	case len(words) > 3:
		return errorReply(msgSyntax)
	}
	from, to, bad := searchedBits(words, len(b))
	if isError(bad) {
		return bad
	}
	for ; from < to; from++ {
		if bitAt(b, from) == want {
			return intReply(int64(from))
		}
	}
	if want == 0 && len(words) < 2 && len(b) > 0 && to > 0 {
		return intReply(int64(len(b) * 8)) // the zeros after the end count
	}
	return intReply(-1)
}

// searchedBits reads the range of BITPOS; without one it is everything.
func searchedBits(words []string, size int) (from, to int, bad Reply) {
	if len(words) == 0 {
		return 0, size * 8, nilReply
	}
	if _, ok := parseInteger(words[0]); ok && len(words) == 3 && upper(words[2]) != "BIT" && upper(words[2]) != "BYTE" {
		return 0, 0, errorReply(msgSyntax) // before the end is looked at
	}
	return bitRange(words, size, clampRange)
}

// cmdBitOp has the operations of Redis 8.2 too: DIFF is in the first but in no
// other, DIFF1 in another but not in the first, ANDOR in the first and in
// another, ONE in exactly one.
func cmdBitOp(e *Engine, c *call) Reply {
	op, dest := upper(c.args[1]), c.args[2]
	if op == "NOT" && len(c.args) > 4 {
		return errorReply("ERR BITOP NOT must be called with a single source key.")
	}
	var sources [][]byte
	size := 0
	for _, key := range c.args[3:] {
		b, _, bad := e.bytesOf(key)
		if isError(bad) {
			return bad
		}
		sources = append(sources, b)
		size = max(size, len(b))
	}
	switch op {
	case "AND", "OR", "XOR", "ONE", "NOT":
	case "DIFF", "DIFF1", "ANDOR":
		if len(sources) < 2 {
			return errorf("ERR BITOP %s must be called with at least two source keys.", op)
		}
	default:
		return errorReply(msgSyntax)
	}
	if size == 0 {
		e.raw("DEL", dest)
		return intReply(0)
	}
	out := make([]byte, size)
	for i := range out {
		out[i] = combine(op, sources, i)
	}
	e.raw("SET", dest, string(out))
	return intReply(int64(size))
}

func combine(op string, sources [][]byte, i int) byte {
	at := func(b []byte) byte {
		if i < len(b) {
			return b[i]
		}
		return 0
	}
	first := at(sources[0])
	and, or, xor, twice := first, first, first, byte(0)
	others := byte(0)
	for _, s := range sources[1:] {
		b := at(s)
		twice |= or & b
		and, or, xor, others = and&b, or|b, xor^b, others|b
	}
	switch op {
	case "AND":
		return and
	case "OR":
		return or
	case "XOR":
		return xor
	case "NOT":
		return ^first
	case "DIFF":
		return first &^ others
	case "DIFF1":
		return others &^ first
	case "ANDOR":
		return first & others
	}
	return or &^ twice // ONE
}
