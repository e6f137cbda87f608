package command

import (
	"errors"
	"fmt"
	"time"
)

// Trim bounds the length of a stream: to MaxLen entries, or to those from
// MinID on. Exactly one of the two is set. It is an option of [XAdd] and the
// argument of [XTrim].
type Trim struct {
	MaxLen int64  // keep so many; KeepNone for none
	MinID  string // remove what is older
	Exact  bool   // else the server may keep a few more, which is much cheaper
	Limit  int64  // look at no more than so many entries; only if not Exact, 0 for the server's default
	Refs   Refs   // what becomes of references from consumer groups; "" for the default
}

// KeepNone is the MaxLen of a [Trim] that removes everything.
const KeepNone int64 = -1

// Refs says what becomes of the references that consumer groups hold to an
// entry that is removed. It is of Redis 8.2.
type Refs string

// The ways to treat references.
const (
	KEEPREF Refs = "KEEPREF" // leave them, the default
	DELREF  Refs = "DELREF"  // remove them too
	ACKED   Refs = "ACKED"   // remove only entries that all groups have acknowledged
)

func (r Refs) check() error {
	switch r {
	case "", KEEPREF, DELREF, ACKED:
		return nil
	}
	return fmt.Errorf("unknown way to treat references %q", string(r))
}

func (t Trim) args() ([]string, error) {
	if (t.MaxLen == 0) == (t.MinID == "") {
		return nil, errors.New("a Trim needs MaxLen or MinID, and not both")
	}
	if t.Exact && t.Limit != 0 {
		return nil, errors.New("the Limit of a Trim needs one that is not Exact")
	}
	how := "~"
	if t.Exact {
		how = "="
	}
	args := []string{"MINID", how, t.MinID}
	if t.MinID == "" {
		args = []string{"MAXLEN", how, integer(max(t.MaxLen, 0))}
	}
	if t.Limit != 0 {
		args = append(args, "LIMIT", integer(t.Limit))
	}
	return args, t.Refs.check()
}

// XAddOption is an option of [XAdd]: a [Trim], [ID] or [NOMKSTREAM].
type XAddOption interface{ xAdd(*xAdd) }

type xAdd struct {
	id       string
	noStream bool
	trim     *Trim
}

// ID is the identifier of a new entry, such as "1526919030474-55" or
// "1526919030474-*"; without it the server chooses.
type ID string

type noMkStream struct{}

// NOMKSTREAM adds only to a stream that exists.
func NOMKSTREAM() XAddOption { return noMkStream{} }

func (i ID) xAdd(a *xAdd)       { a.id = string(i) }
func (noMkStream) xAdd(a *xAdd) { a.noStream = true }
func (t Trim) xAdd(a *xAdd)     { a.trim = &t }

// XAdd appends an entry to the stream at key and returns its ID, or [ErrNil]
// if [NOMKSTREAM] prevented it. Fields are sent in the order of their names.
func XAdd(key string, fields map[string]any, opts ...XAddOption) Command[string] {
	a := xAdd{id: "*"}
	c := write(toString, "XADD", key)
	for _, o := range opts {
		if o == nil {
			return c.fail(errors.New("nil option"))
		}
		o.xAdd(&a)
	}
	if a.noStream {
		c = c.add("NOMKSTREAM")
	}
	if a.trim != nil {
		args, err := a.trim.args()
		if a.trim.Refs != "" {
			c = c.add(string(a.trim.Refs))
		}
		c = c.add(args...).fail(err)
	}
	return c.add(a.id).mapping(fields)
}

// XTrim removes old entries of the stream at key and returns how many.
func XTrim(key string, trim Trim) Command[int64] {
	args, err := trim.args()
	c := repeat(toInt, "XTRIM", key).add(args...).fail(err)
	if trim.Refs != "" {
		c = c.add(string(trim.Refs))
	}
	return c
}

// XDel removes entries and returns how many there were.
func XDel(key string, ids ...string) Command[int64] {
	return repeat(toInt, "XDEL", key).add(ids...).failIf(len(ids) == 0, "no IDs")
}

// Removal is what became of one entry of [XDelEx] or [XAckDel].
type Removal int64

// The values of [Removal].
const (
	NoEntry Removal = -1 // no such entry
	Removed Removal = 1
	Kept    Removal = 2 // references are left, so it stays
)

var toRemovals = listOf(func(r Reply) (Removal, error) {
	n, err := toInt(r)
	return Removal(n), err
})

// XDelEx removes entries, treats references to them as refs says, and tells
// what became of each.
func XDelEx(key string, refs Refs, ids ...string) Command[[]Removal] {
	return repeat(toRemovals, "XDELEX", key).removal(refs, ids)
}

// XAckDel acknowledges entries for group and removes them as [XDelEx] does.
func XAckDel(key, group string, refs Refs, ids ...string) Command[[]Removal] {
	return repeat(toRemovals, "XACKDEL", key, group).removal(refs, ids)
}

func (c Command[T]) removal(refs Refs, ids []string) Command[T] {
	if refs != "" {
		c = c.add(string(refs)).fail(refs.check())
	}
	return c.add("IDS", count(len(ids))).add(ids...).failIf(len(ids) == 0, "no IDs")
}

// XLen returns the number of entries of the stream at key.
func XLen(key string) Command[int64] { return read(toInt, "XLEN", key) }

// The ends of a stream for [XRange] and [XRevRange].
const (
	StreamLow  = "-"
	StreamHigh = "+"
)

// XRange returns up to n entries of the stream at key from start to end, all
// if n is 0.
func XRange(key, start, end string, n int64) Command[[]StreamEntry] {
	return read(toEntries, "XRANGE", key, start, end).entries(n)
}

// XRevRange is [XRange] from the newest to the oldest; end comes first.
func XRevRange(key, end, start string, n int64) Command[[]StreamEntry] {
	return read(toEntries, "XREVRANGE", key, end, start).entries(n)
}

func (c Command[T]) entries(n int64) Command[T] {
	if n != 0 {
		c = c.add("COUNT", integer(n))
	}
	return c
}

// StreamFrom names a stream and the ID after which to read.
type StreamFrom struct{ Key, After string }

// The IDs for [StreamFrom] that stand for a place.
const (
	FromStart = "0" // everything; in a group: this consumer's pending entries
	FromNow   = "$" // nothing that is there already
	FromNew   = ">" // in a group: what nobody has been given yet
)

// XRead returns up to n entries of each stream, all if n is 0. Streams
// without new entries are left out; REST cannot wait for any.
func XRead(n int64, streams ...StreamFrom) Command[[]StreamEntries] {
	return read(toStreams, "XREAD").entries(n).streams(streams)
}

func (c Command[T]) streams(streams []StreamFrom) Command[T] {
	c = c.add("STREAMS").failIf(len(streams) == 0, "no streams")
	for _, s := range streams {
		c = c.add(s.Key)
	}
	for _, s := range streams {
		c = c.add(s.After)
	}
	return c
}

// StreamEntry is one entry of a stream.
type StreamEntry struct {
	ID     string
	Fields []Pair // in their order; nil for an entry that was removed
}

// Get returns the value of the first field of that name, "" if there is none.
func (e StreamEntry) Get(field string) string {
	for _, p := range e.Fields {
		if p.Field == field {
			return p.Value
		}
	}
	return ""
}

// StreamEntries are entries of the stream at Key.
type StreamEntries struct {
	Key     string
	Entries []StreamEntry
}

func toEntry(r Reply) (StreamEntry, error) {
	if r.Kind != KindArray || len(r.Array) != 2 {
		return StreamEntry{}, mismatch("an ID and fields", r)
	}
	id, err := toString(r.Array[0])
	if err != nil {
		return StreamEntry{}, err
	}
	fields, err := toPairs(r.Array[1])
	return StreamEntry{ID: id, Fields: fields}, err
}

// toEntries leaves out nil, which stands for entries removed meanwhile.
func toEntries(r Reply) ([]StreamEntry, error) {
	if r.Kind == KindNil {
		return nil, nil
	}
	if r.Kind != KindArray {
		return nil, mismatch("an array of entries", r)
	}
	out := make([]StreamEntry, 0, len(r.Array))
	for _, e := range r.Array {
		if e.Kind == KindNil {
			continue
		}
		entry, err := toEntry(e)
		if err != nil {
			return nil, err
		}
		out = append(out, entry)
	}
	return out, nil
}

var toStreams = listOf(func(r Reply) (StreamEntries, error) {
	if r.Kind != KindArray || len(r.Array) != 2 {
		return StreamEntries{}, mismatch("a stream and entries", r)
	}
	key, err := toString(r.Array[0])
	if err != nil {
		return StreamEntries{}, err
	}
	entries, err := toEntries(r.Array[1])
	return StreamEntries{Key: key, Entries: entries}, err
})

// age is a duration as the stream commands write it.
func age(d time.Duration) string { return integer(d.Milliseconds()) }
