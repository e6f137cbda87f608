package engine

import (
	"math"
	"slices"
	"strconv"
)

// maxIndex is the highest index of an array.
const maxIndex = math.MaxUint64 - 1

// sparse is a value of type array: strings under indexes, with holes.
type sparse struct {
	at    map[uint64]string
	order []uint64 // the filled indexes, lowest first
	next  uint64   // where ARINSERT and ARRING write next
	ring  uint64   // the size that ARRING was given; 0 is none
}

func newSparse() *sparse { return &sparse{at: map[uint64]string{}} }

func (a *sparse) kind() string { return "array" }

func (a *sparse) clone() native {
	o := &sparse{at: make(map[uint64]string, len(a.at)), order: slices.Clone(a.order), next: a.next, ring: a.ring}
	for i, v := range a.at {
		o.at[i] = v
	}
	return o
}

func (a *sparse) parts() []string {
	out := make([]string, 0, len(a.order))
	for _, i := range a.order {
		out = append(out, a.at[i])
	}
	return out
}

func (a *sparse) dump() []string {
	out := []string{strconv.FormatUint(a.next, 10), strconv.FormatUint(a.ring, 10)}
	for _, i := range a.order {
		out = append(out, strconv.FormatUint(i, 10), a.at[i])
	}
	return out
}

func undumpSparse(parts []string) (native, bool) {
	if len(parts) < 4 || len(parts)%2 != 0 {
		return nil, false
	}
	a := newSparse()
	var err1, err2 error
	a.next, err1 = strconv.ParseUint(parts[0], 10, 64)
	a.ring, err2 = strconv.ParseUint(parts[1], 10, 64)
	for pair := range slices.Chunk(parts[2:], 2) {
		i, ok := parseIndex(pair[0])
		if !ok {
			return nil, false
		}
		a.set(i, pair[1])
	}
	return a, err1 == nil && err2 == nil
}

// set fills a slot and reports whether it was a hole.
func (a *sparse) set(i uint64, v string) bool {
	_, has := a.at[i]
	a.at[i] = v
	if has {
		return false
	}
	if n := len(a.order); n == 0 || a.order[n-1] < i {
		a.order = append(a.order, i)
		return true
	}
	at, _ := slices.BinarySearch(a.order, i)
	a.order = slices.Insert(a.order, at, i)
	return true
}

func (a *sparse) remove(i uint64) bool {
	if _, has := a.at[i]; !has {
		return false
	}
	delete(a.at, i)
	at, _ := slices.BinarySearch(a.order, i)
	a.order = slices.Delete(a.order, at, at+1)
	return true
}

// between returns the filled indexes from low to high.
func (a *sparse) between(low, high uint64) []uint64 {
	from, _ := slices.BinarySearch(a.order, low)
	to, found := slices.BinarySearch(a.order, high)
	if found {
		to++
	}
	return a.order[from:max(from, to)]
}

// length is the highest index plus one.
func (a *sparse) length() uint64 {
	if len(a.order) == 0 {
		return 0
	}
	return a.order[len(a.order)-1] + 1
}

func (a *sparse) get(i uint64) Reply {
	if v, ok := a.at[i]; ok {
		return bulk(v)
	}
	return nilReply
}

// last returns up to n values back from where the next one will be written,
// the newest first; before slot 0 comes the end.
func (a *sparse) last(n uint64) []Reply {
	size := a.length()
	if a.ring > 0 {
		size = a.ring
	}
	if n = min(n, uint64(len(a.order))); n == 0 {
		return nil
	}
	out := make([]Reply, 0, n)
	at := a.next % size
	if a.next == size {
		at = size
	}
	for range n {
		if at == 0 {
			at = size
		}
		at--
		out = append(out, a.get(at))
	}
	return out
}

// resize makes the ring another size: the newest values move to its start.
func (a *sparse) resize(size uint64) {
	var kept []string
	for _, r := range a.last(uint64(len(a.order))) {
		if !isNil(r) && uint64(len(kept)) < size {
			kept = append(kept, text(r))
		}
	}
	slices.Reverse(kept)
	*a = *newSparse()
	for i, v := range kept {
		a.set(uint64(i), v)
	}
	a.ring, a.next = size, uint64(len(kept))
}

// push writes into the ring and returns where.
func (a *sparse) push(v string) uint64 {
	i := a.next % a.ring
	a.set(i, v)
	a.next = i + 1
	return i
}

var badIndex = errorReply("ERR invalid array index")

func parseIndex(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= maxIndex
}

// indexReply is a number, or text where a number would be too large for the
// clients.
func indexReply(i uint64) Reply {
	if i <= math.MaxInt64 {
		return intReply(int64(i))
	}
	return bulk(strconv.FormatUint(i, 10))
}

// sparse returns the array at key, nil if there is none.
func (e *Engine) sparse(key string) (*sparse, Reply) {
	if a, ok := e.natives[key].(*sparse); ok {
		return a, nilReply
	}
	if e.exists(key) {
		return nil, errorReply(msgWrongType)
	}
	return nil, nilReply
}

// filled is the array at key for reading; one that is not there is empty.
func (e *Engine) filled(key string) (*sparse, Reply) {
	a, bad := e.sparse(key)
	if a == nil {
		a = newSparse()
	}
	return a, bad
}

// keepSparse stores an array that was changed, or removes the key of one that
// has lost its last value.
func (e *Engine) keepSparse(key string, a *sparse) {
	if len(a.order) == 0 {
		e.remove(key)
		return
	}
	e.setNative(key, a)
}

func parseIndexes(words []string) ([]uint64, Reply) {
	out := make([]uint64, len(words))
	for i, w := range words {
		n, ok := parseIndex(w)
		if out[i] = n; !ok {
			return nil, badIndex
		}
	}
	return out, nilReply
}
