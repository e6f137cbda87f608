package command

import "fmt"

// BitCount returns how many bits of the string at key are set.
func BitCount(key string) Command[int64] { return read(toInt, "BITCOUNT", key) }

// BitCountRange is [BitCount] from start to end, both included, counted in
// unit; negative positions count from the end.
func BitCountRange(key string, start, end int64, unit BitUnit) Command[int64] {
	c := read(toInt, "BITCOUNT", key, integer(start), integer(end))
	return c.unit(unit)
}

// BitUnit is the unit of positions in a bitmap.
type BitUnit uint8

// The units of positions in a bitmap.
const (
	BYTE BitUnit = iota // the default of Redis
	BIT
)

func (c Command[T]) unit(u BitUnit) Command[T] {
	switch u {
	case BYTE:
		return c
	case BIT:
		return c.add("BIT")
	}
	return c.fail(fmt.Errorf("unknown unit %d", u))
}

// BitField runs operations on integers of any width inside the string at key
// and returns one reply for each: the value read, the old value of a set, the
// new one of an increment. One that an OVERFLOW FAIL prevented is not OK.
func BitField(key string, ops ...BitOperation) Command[[]Maybe[int64]] {
	c := write(toMaybeInts, "BITFIELD", key)
	return c.bits(ops, false)
}

// BitFieldRO is [BitField] with reading operations only.
func BitFieldRO(key string, ops ...BitOperation) Command[[]Maybe[int64]] {
	return read(toMaybeInts, "BITFIELD_RO", key).bits(ops, true)
}

func (c Command[T]) bits(ops []BitOperation, readOnly bool) Command[T] {
	c = c.failIf(len(ops) == 0, "no operations")
	for _, op := range ops {
		c = c.failIf(readOnly && op.writes, "an operation that writes").fail(op.err).add(op.args...)
	}
	return c
}

// BitOperation is one part of [BitField]. Make one with [BitGet], [BitSet],
// [BitIncr] or [BitOverflow].
type BitOperation struct {
	args   []string
	err    error
	writes bool
}

// BitType is the type of an integer in a bitmap: "i5" is signed with five
// bits, "u8" unsigned with eight.
type BitType string

// BitOffset is where an integer begins: "7" is bit 7, "#2" is two widths of
// the type.
type BitOffset string

// BitGet reads an integer.
func BitGet(t BitType, at BitOffset) BitOperation {
	return BitOperation{args: []string{"GET", string(t), string(at)}}
}

// BitSet writes an integer; its reply is the old one.
func BitSet(t BitType, at BitOffset, v int64) BitOperation {
	return BitOperation{args: []string{"SET", string(t), string(at), integer(v)}, writes: true}
}

// BitIncr adds n to an integer; its reply is the sum.
func BitIncr(t BitType, at BitOffset, n int64) BitOperation {
	return BitOperation{args: []string{"INCRBY", string(t), string(at), integer(n)}, writes: true}
}

// Overflow is what happens to a sum that does not fit, see [BitOverflow].
type Overflow string

// The ways to treat a sum that does not fit.
const (
	WRAP Overflow = "WRAP" // go on at the other end, the default
	SAT  Overflow = "SAT"  // stay at the greatest or least number
	FAIL Overflow = "FAIL" // change nothing and reply nil
)

// BitOverflow says how the increments after it treat a sum that does not fit.
// It has no reply of its own.
func BitOverflow(o Overflow) BitOperation {
	op := BitOperation{args: []string{"OVERFLOW", string(o)}, writes: true}
	if o != WRAP && o != SAT && o != FAIL {
		op.err = fmt.Errorf("unknown overflow %q", string(o))
	}
	return op
}

// BitOperator combines bitmaps, see [BitOp].
type BitOperator string

// The operators of [BitOp]. The last four are of Redis 8.2.
const (
	AND   BitOperator = "AND"
	OR    BitOperator = "OR"
	XOR   BitOperator = "XOR"
	NOT   BitOperator = "NOT"   // of exactly one key
	DIFF  BitOperator = "DIFF"  // set in the first key and in none of the others
	DIFF1 BitOperator = "DIFF1" // set in one of the others and not in the first
	ANDOR BitOperator = "ANDOR" // set in the first and in one of the others
	ONE   BitOperator = "ONE"   // set in exactly one key
)

// BitOp combines the strings at keys bit by bit, stores the result at
// destination and returns its length in bytes.
func BitOp(op BitOperator, destination string, keys ...string) Command[int64] {
	c := write(toInt, "BITOP", string(op), destination).add(keys...)
	switch op {
	case AND, OR, XOR, ONE:
		return c.failIf(len(keys) == 0, "no keys")
	case NOT:
		return c.failIf(len(keys) != 1, "NOT takes one key")
	case DIFF, DIFF1, ANDOR:
		return c.failIf(len(keys) < 2, string(op)+" takes two keys or more")
	}
	return c.fail(fmt.Errorf("unknown operator %q", string(op)))
}

// BitPos returns the position of the first bit that is set, or clear if bit
// is false; -1 if there is none.
func BitPos(key string, bit bool) Command[int64] {
	return read(toInt, "BITPOS", key, flag(bit))
}

// BitPosRange is [BitPos] from start to end, both included, counted in unit.
// The position returned counts bits from the beginning of the string.
func BitPosRange(key string, bit bool, start, end int64, unit BitUnit) Command[int64] {
	c := read(toInt, "BITPOS", key, flag(bit), integer(start), integer(end))
	return c.unit(unit)
}

// GetBit reports whether the bit at offset is set.
func GetBit(key string, offset int64) Command[bool] {
	return read(toBool, "GETBIT", key, integer(offset))
}

// SetBit sets or clears the bit at offset and reports whether it was set.
func SetBit(key string, offset int64, bit bool) Command[bool] {
	return repeat(toBool, "SETBIT", key, integer(offset), flag(bit))
}
