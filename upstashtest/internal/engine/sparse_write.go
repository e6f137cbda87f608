package engine

import (
	"math"
	"slices"
	"strconv"
)

// fill sets slots and returns how many were holes.
func (e *Engine) fill(key string, slots []uint64, values []string) Reply {
	a, bad := e.filled(key)
	if isError(bad) {
		return bad
	}
	n := int64(0)
	for i, at := range slots {
		if a.set(at, values[i]) {
			n++
		}
	}
	e.keepSparse(key, a)
	return intReply(n)
}

// run is n indexes from start on; false if it ends too far.
func run(start uint64, n int) ([]uint64, bool) {
	if uint64(n-1) > maxIndex-start {
		return nil, false
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = start + uint64(i)
	}
	return out, true
}

func cmdArSet(e *Engine, c *call) Reply {
	start, ok := parseIndex(c.args[2])
	if !ok {
		return badIndex
	}
	slots, ok := run(start, len(c.args)-3)
	if !ok {
		return badIndex
	}
	return e.fill(c.args[1], slots, c.args[3:])
}

func cmdArMSet(e *Engine, c *call) Reply {
	if len(c.args)%2 != 0 {
		return wrongArity("ARMSET")
	}
	var slots []uint64
	var values []string
	for pair := range slices.Chunk(c.args[2:], 2) {
		i, ok := parseIndex(pair[0])
		if !ok {
			return badIndex
		}
		slots, values = append(slots, i), append(values, pair[1])
	}
	return e.fill(c.args[1], slots, values)
}

func cmdArDel(e *Engine, c *call) Reply {
	slots, bad := parseIndexes(c.args[2:])
	if isError(bad) {
		return bad
	}
	a, bad := e.sparse(c.args[1])
	if a == nil {
		return orZero(bad)
	}
	n := int64(0)
	for _, i := range slots {
		if a.remove(i) {
			n++
		}
	}
	e.keepSparse(c.args[1], a)
	return intReply(n)
}

func cmdArDelRange(e *Engine, c *call) Reply {
	if len(c.args)%2 != 0 {
		return wrongArity("ARDELRANGE")
	}
	ends, bad := parseIndexes(c.args[2:])
	if isError(bad) {
		return bad
	}
	a, bad := e.sparse(c.args[1])
	if a == nil {
		return orZero(bad)
	}
	n := int64(0)
	for pair := range slices.Chunk(ends, 2) {
		for _, i := range slices.Clone(a.between(min(pair[0], pair[1]), max(pair[0], pair[1]))) {
			a.remove(i)
			n++
		}
	}
	e.keepSparse(c.args[1], a)
	return intReply(n)
}

func cmdArInsert(e *Engine, c *call) Reply {
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	values := c.args[2:]
	slots, ok := run(min(a.next, maxIndex), len(values))
	if !ok || a.next > maxIndex {
		return errorReply("ERR insert index overflow")
	}
	for i, at := range slots {
		a.set(at, values[i])
	}
	last := slots[len(slots)-1]
	a.next = last + 1
	e.keepSparse(c.args[1], a)
	return indexReply(last)
}

func cmdArRing(e *Engine, c *call) Reply {
	size, ok := parseIndex(c.args[2])
	if !ok || size == 0 {
		return errorReply("ERR invalid ring size")
	}
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	if a.ring != size {
		a.resize(size)
	}
	last := uint64(0)
	for _, v := range c.args[3:] {
		last = a.push(v)
	}
	e.keepSparse(c.args[1], a)
	return indexReply(last)
}

func cmdArSeek(e *Engine, c *call) Reply {
	i, ok := parseIndex(c.args[2])
	if !ok {
		return badIndex
	}
	a, bad := e.sparse(c.args[1])
	if a == nil {
		return orZero(bad)
	}
	a.next = i
	return intReply(1)
}

func cmdArNext(e *Engine, c *call) Reply {
	a, bad := e.filled(c.args[1])
	switch {
	case isError(bad):
		return bad
	case a.ring > 0:
		return indexReply(a.next % a.ring)
	case a.next > maxIndex:
		return nilReply
	}
	return indexReply(a.next)
}

func cmdArLastItems(e *Engine, c *call) Reply {
	n, err := strconv.ParseUint(c.args[2], 10, 64)
	switch {
	case err != nil:
		return errorReply(msgNotInt)
	case len(c.args) > 4 || len(c.args) == 4 && upper(c.args[3]) != "REV":
		return errorReply(msgSyntax)
	}
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	found := a.last(n)
	if len(c.args) == 3 {
		slices.Reverse(found)
	}
	return array(append([]Reply{}, found...)...)
}

// cmdArCount is ARCOUNT and ARLEN.
func cmdArCount(e *Engine, c *call) Reply {
	a, bad := e.filled(c.args[1])
	switch {
	case isError(bad):
		return bad
	case c.info.Name == "ARLEN":
		return indexReply(a.length())
	}
	return intReply(int64(len(a.order)))
}

// sliceSize is how many neighbouring slots Redis keeps together.
const sliceSize = 4096

// cmdArInfo counts the slices that the array would have; half full ones are
// dense here.
func cmdArInfo(e *Engine, c *call) Reply {
	full := len(c.args) == 3
	if len(c.args) > 3 || full && upper(c.args[2]) != "FULL" {
		return errorReply(msgSyntax)
	}
	a, bad := e.sparse(c.args[1])
	switch {
	case isError(bad):
		return bad
	case a == nil:
		return errorReply(msgNoKey)
	}
	held := map[uint64]int{}
	for _, i := range a.order {
		held[i/sliceSize]++
	}
	next := nilReply
	if a.next <= maxIndex {
		next = indexReply(a.next)
	}
	r := array(
		bulk("len"), indexReply(a.length()), bulk("count"), intReply(int64(len(a.order))),
		bulk("slice-size"), intReply(sliceSize), bulk("slices"), intReply(int64(len(held))),
		bulk("directory-size"), indexReply((a.length()-1)/sliceSize+1), bulk("super-dir-entries"), intReply(0),
		bulk("next-insert-index"), next)
	if !full {
		return r
	}
	var count, slots [2]float64 // of sparse and dense slices
	for _, n := range held {
		kind := 0
		if n >= sliceSize/2 {
			kind = 1
		}
		count[kind]++
		slots[kind] += float64(n)
	}
	average := func(kind int) Reply { return bulk(formatScore(math.Round(slots[kind]/max(count[kind], 1)*100) / 100)) }
	r.Array = append(r.Array,
		bulk("dense-slices"), intReply(int64(count[1])), bulk("sparse-slices"), intReply(int64(count[0])),
		bulk("avg-dense-size"), average(1), bulk("avg-sparse-size"), average(0))
	return r
}
