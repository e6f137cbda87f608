package command

import (
	"math"
	"strconv"
)

// Arrays hold strings under indexes, with holes; see
// https://upstash.com/docs/redis/commands. A separate append cursor moves by
// ARINSERT, ARRING and ARSEEK only: it does not follow ARSET.

// LastIndex is the highest index of an array. As the end of a range it means:
// to the end.
const LastIndex uint64 = math.MaxUint64 - 1

// ArraySpan is a range of indexes; both ends belong to it.
type ArraySpan struct{ Start, End uint64 }

func (s ArraySpan) words() []string { return []string{unsigned(s.Start), unsigned(s.End)} }

func unsigned(n uint64) string { return strconv.FormatUint(n, 10) }

func (c Command[T]) indexes(list []uint64) Command[T] {
	for _, i := range list {
		c = c.add(unsigned(i))
	}
	return c.failIf(len(list) == 0, "no indexes")
}

// toUint reads indexes and lengths, which may be above the largest int64.
func toUint(r Reply) (uint64, error) {
	switch r.Kind {
	case KindInt:
		if r.Int >= 0 {
			return uint64(r.Int), nil
		}
	case KindBulk, KindStatus:
		if n, err := strconv.ParseUint(string(r.Bytes), 10, 64); err == nil {
			return n, nil
		}
	case KindNil:
		return 0, ErrNil
	}
	return 0, mismatch("an index", r)
}

// ArrayValue is an index and the value to set there, see [Text].
type ArrayValue struct {
	Index uint64
	Value any
}

// ArrayItem is an index and what is there.
type ArrayItem struct {
	Index uint64
	Value string
}

var toArrayItems = listOf(func(r Reply) (it ArrayItem, err error) {
	if r.Kind != KindArray || len(r.Array) != 2 {
		return it, mismatch("an index and a value", r)
	}
	if it.Index, err = toUint(r.Array[0]); err != nil {
		return it, err
	}
	it.Value, err = toString(r.Array[1])
	return it, err
})

// ARSet stores values at index and the indexes after it, and returns how many of
// these were holes.
func ARSet(key string, index uint64, values ...any) Command[int64] {
	return repeat(toInt, "ARSET", key).add(unsigned(index)).values(values).failIf(len(values) == 0, "no values")
}

// ARMSet stores values at their indexes, atomically, and returns how many of
// these were holes.
func ARMSet(key string, values ...ArrayValue) Command[int64] {
	cmd := repeat(toInt, "ARMSET", key).failIf(len(values) == 0, "no values")
	for _, v := range values {
		cmd = cmd.add(unsigned(v.Index)).value(v.Value)
	}
	return cmd
}

// ARGet returns the value at index, or [ErrNil] for a hole.
func ARGet(key string, index uint64) Command[string] {
	return read(toString, "ARGET", key).add(unsigned(index))
}

// ARMGet returns the values at indexes; a hole is not OK.
func ARMGet(key string, indexes ...uint64) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "ARMGET", key).indexes(indexes)
}

// ARGetRange returns the values of a span, at most 1,000,000, holes included,
// in reverse if it starts after its end.
func ARGetRange(key string, span ArraySpan) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "ARGETRANGE", key).add(span.words()...)
}

// ARScan returns the values of a span without the holes, in order. A limit of 0
// means all; the next page begins after the last index.
func ARScan(key string, span ArraySpan, limit int) Command[[]ArrayItem] {
	cmd := read(toArrayItems, "ARSCAN", key).add(span.words()...)
	if limit != 0 {
		cmd = cmd.add("LIMIT", count(limit))
	}
	return cmd.failIf(span.Start > span.End, "the span starts after its end")
}

// ArrayPredicate is what a value must be for [ARGrep]; made by [ArrayExact],
// [ArrayContains], [ArrayGlob] and [ArrayRegexp].
type ArrayPredicate struct{ kind, pattern string }

// ArrayExact matches values that are s.
func ArrayExact(s string) ArrayPredicate { return ArrayPredicate{"EXACT", s} }

// ArrayContains matches values that hold s.
func ArrayContains(s string) ArrayPredicate { return ArrayPredicate{"MATCH", s} }

// ArrayGlob matches values by a pattern as KEYS has them.
func ArrayGlob(pattern string) ArrayPredicate { return ArrayPredicate{"GLOB", pattern} }

// ArrayRegexp matches values by a regular expression of at most 2048 bytes,
// without backreferences.
func ArrayRegexp(pattern string) ArrayPredicate { return ArrayPredicate{"RE", pattern} }

// ArrayGrep says what [ARGrep] looks for. Its zero value of End is index 0: use
// [LastIndex] for the whole array.
type ArrayGrep struct {
	ArraySpan
	Where  []ArrayPredicate // 1 to 250
	All    bool             // all of Where must match; otherwise one of them
	NoCase bool
	Limit  int // 0 for none
}

func (c Command[T]) grep(g ArrayGrep) Command[T] {
	end := unsigned(g.End)
	if g.End == LastIndex {
		end = "+"
	}
	c = c.add(unsigned(g.Start), end)
	for _, p := range g.Where {
		c = c.add(p.kind, p.pattern)
	}
	if g.All {
		c = c.add("AND")
	}
	if g.NoCase {
		c = c.add("NOCASE")
	}
	return c.failIf(len(g.Where) == 0 || len(g.Where) > 250, "Where does not hold 1 to 250 predicates")
}

func (c Command[T]) limit(n int) Command[T] {
	if n == 0 {
		return c
	}
	return c.add("LIMIT", count(n))
}

// ARGrep returns the indexes of the values that match.
func ARGrep(key string, g ArrayGrep) Command[[]uint64] {
	return read(listOf(toUint), "ARGREP", key).grep(g).limit(g.Limit)
}

// ARGrepValues is [ARGrep] with the values.
func ARGrepValues(key string, g ArrayGrep) Command[[]ArrayItem] {
	return read(toArrayItems, "ARGREP", key).grep(g).add("WITHVALUES").limit(g.Limit)
}

// ARDel removes the values at indexes and returns how many there were. An array
// without values is deleted.
func ARDel(key string, indexes ...uint64) Command[int64] {
	return repeat(toInt, "ARDEL", key).indexes(indexes)
}

// ARDelRange is [ARDel] for spans.
func ARDelRange(key string, spans ...ArraySpan) Command[int64] {
	cmd := repeat(toInt, "ARDELRANGE", key).failIf(len(spans) == 0, "no spans")
	for _, s := range spans {
		cmd = cmd.add(s.words()...)
	}
	return cmd
}

// ARInsert appends values at the cursor and returns the index of the last one.
// On an array that nothing was appended to, the cursor stands at 0, whatever
// ARSET put there.
func ARInsert(key string, values ...any) Command[uint64] {
	return write(toUint, "ARINSERT", key).values(values).failIf(len(values) == 0, "no values")
}

// ARRing appends values to a ring of that many slots and returns the index of the
// last one. Another size than before rebuilds the ring with the newest values.
func ARRing(key string, slots uint64, values ...any) Command[uint64] {
	cmd := write(toUint, "ARRING", key).add(unsigned(slots)).values(values)
	return cmd.failIf(slots == 0, "a ring of no slots").failIf(len(values) == 0, "no values")
}

// ARLastItems returns the n values that were appended last, oldest first.
func ARLastItems(key string, n int64) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "ARLASTITEMS", key).add(integer(n))
}

// ARLastItemsRev is [ARLastItems], newest first.
func ARLastItemsRev(key string, n int64) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "ARLASTITEMS", key).add(integer(n), "REV")
}

// ARNext returns the index of the next append, or [ErrNil] if there is no room.
func ARNext(key string) Command[uint64] { return read(toUint, "ARNEXT", key) }

// ARSeek moves the append cursor to index, 0 standing for never appended, and
// reports whether there is such an array.
func ARSeek(key string, index uint64) Command[bool] {
	return repeat(toBool, "ARSEEK", key).add(unsigned(index))
}

// ArrayNumber is what [ARNumber] makes of numbers.
type ArrayNumber string

// The operations of [ARNumber].
const (
	ArraySum ArrayNumber = "SUM"
	ArrayMin ArrayNumber = "MIN"
	ArrayMax ArrayNumber = "MAX"
)

// ARNumber sums up the numbers of a span, or finds the smallest or largest.
// Values that are no numbers are left out; without any it is [ErrNil].
func ARNumber(key string, span ArraySpan, op ArrayNumber) Command[float64] {
	return read(toFloat, "AROP", key).add(span.words()...).add(string(op))
}

// ArrayBits is how [ARBits] combines numbers.
type ArrayBits string

// The operations of [ARBits].
const (
	ArrayAnd ArrayBits = "AND"
	ArrayOr  ArrayBits = "OR"
	ArrayXor ArrayBits = "XOR"
)

// ARBits combines the numbers of a span bit by bit, without their fractions.
// Without any it is [ErrNil].
func ARBits(key string, span ArraySpan, op ArrayBits) Command[int64] {
	return read(toInt, "AROP", key).add(span.words()...).add(string(op))
}

// ARUsed returns how many values a span holds.
func ARUsed(key string, span ArraySpan) Command[int64] {
	return read(toInt, "AROP", key).add(span.words()...).add("USED")
}

// ARMatch returns how many values of a span are v, see [Text].
func ARMatch(key string, span ArraySpan, v any) Command[int64] {
	return read(toInt, "AROP", key).add(span.words()...).add("MATCH").value(v)
}

// ARCount returns how many values an array holds.
func ARCount(key string) Command[uint64] { return read(toUint, "ARCOUNT", key) }

// ARLen returns the highest index of an array that has a value, plus one.
func ARLen(key string) Command[uint64] { return read(toUint, "ARLEN", key) }

// ArrayInfo describes how an array is kept.
type ArrayInfo struct {
	Len, Count      uint64
	NextInsertIndex uint64 // where the next append goes
	SliceSize       int64
	Slices          int64
	DirectorySize   int64
	SuperDirEntries int64
}

// ARInfo describes an array. One that does not exist is an error of the server.
func ARInfo(key string) Command[ArrayInfo] { return read(toArrayInfo, "ARINFO", key) }

func toArrayInfo(r Reply) (ArrayInfo, error) {
	rec := toRecord(r)
	info := ArrayInfo{
		Len:             field(rec, "len", toUint).Value,
		Count:           field(rec, "count", toUint).Value,
		NextInsertIndex: field(rec, "next-insert-index", toUint).Value,
		SliceSize:       field(rec, "slice-size", toInt).Value,
		Slices:          field(rec, "slices", toInt).Value,
		DirectorySize:   field(rec, "directory-size", toInt).Value,
		SuperDirEntries: field(rec, "super-dir-entries", toInt).Value,
	}
	return info, rec.err
}

// ARInfoFull is [ARInfo] with counts and averages of the parts, by the server's
// names.
func ARInfoFull(key string) Command[map[string]string] { return read(toMap, "ARINFO", key).add("FULL") }
