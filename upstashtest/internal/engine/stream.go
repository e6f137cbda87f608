package engine

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// entryID is the ID of an entry of a stream: milliseconds and a number.
type entryID struct{ ms, seq uint64 }

var lastID = entryID{math.MaxUint64, math.MaxUint64}

func (id entryID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.seq, 10)
}

func (id entryID) compare(o entryID) int {
	return cmp.Or(cmp.Compare(id.ms, o.ms), cmp.Compare(id.seq, o.seq))
}

func (id entryID) isZero() bool { return id == entryID{} }

// next is the ID after this one; false if there is none.
func (id entryID) next() (entryID, bool) {
	switch {
	case id == lastID:
		return id, false
	case id.seq == math.MaxUint64:
		return entryID{id.ms + 1, 0}, true
	}
	return entryID{id.ms, id.seq + 1}, true
}

func (id entryID) previous() (entryID, bool) {
	switch {
	case id.isZero():
		return id, false
	case id.seq == 0:
		return entryID{id.ms - 1, math.MaxUint64}, true
	}
	return entryID{id.ms, id.seq - 1}, true
}

var badID = errorReply("ERR Invalid stream ID specified as stream command argument")

// parseEntryID reads a whole ID; seq is taken where the number is left out.
func parseEntryID(s string, seq uint64) (entryID, bool) {
	ms, rest, found := strings.Cut(s, "-")
	a, err := strconv.ParseUint(ms, 10, 64)
	if err != nil {
		return entryID{}, false
	}
	if !found {
		return entryID{a, seq}, true
	}
	b, err := strconv.ParseUint(rest, 10, 64)
	return entryID{a, b}, err == nil
}

// parseBound reads an end of a range: an ID, - or +, or an ID to leave out.
func parseBound(s string, isEnd bool) (entryID, Reply) {
	seq := uint64(0)
	if isEnd {
		seq = math.MaxUint64
	}
	if len(s) > 1 && s[0] == '(' {
		id, ok := parseEntryID(s[1:], seq)
		if !ok {
			return id, badID
		}
		step, name := id.next, "start"
		if isEnd {
			step, name = id.previous, "end"
		}
		if id, ok = step(); !ok {
			return id, errorf("ERR invalid %s ID for the interval", name)
		}
		return id, nilReply
	}
	switch s {
	case "-":
		return entryID{}, nilReply
	case "+":
		return lastID, nilReply
	}
	id, ok := parseEntryID(s, seq)
	if !ok {
		return id, badID
	}
	return id, nilReply
}

// entry is one entry of a stream. Redis keeps entries in nodes of a hundred,
// and trimming "about" a length drops whole nodes only.
type entry struct {
	id     entryID
	fields []string
	node   uint64
}

func (en entry) reply() Reply { return array(bulk(en.id.String()), bulks(en.fields)) }

// stream is a value of type stream. miniredis has streams, but neither its
// groups nor its counters can be set, and trimming is always exact.
type stream struct {
	entries    []entry
	last       entryID // of all that were ever added
	maxDeleted entryID // the highest that XDEL took
	added      uint64  // how many ever were
	groups     map[string]*streamGroup

	node             uint64 // the newest node, what it held and about how many bytes
	nodeLen, nodeCap int
}

func newStream() *stream { return &stream{groups: map[string]*streamGroup{}} }

func (s *stream) kind() string { return "stream" }

func (s *stream) clone() native {
	o := *s
	o.entries = slices.Clone(s.entries)
	o.groups = make(map[string]*streamGroup, len(s.groups))
	for name, g := range s.groups {
		o.groups[name] = g.clone()
	}
	return &o
}

func (s *stream) parts() []string {
	var parts []string
	for _, en := range s.entries {
		parts = append(append(parts, en.id.String()), en.fields...)
	}
	return parts
}

// from is the index of the first entry that is not below id.
func (s *stream) from(id entryID) int {
	i, _ := slices.BinarySearchFunc(s.entries, id, func(en entry, id entryID) int { return en.id.compare(id) })
	return i
}

func (s *stream) entry(id entryID) (entry, bool) {
	if i := s.from(id); i < len(s.entries) && s.entries[i].id == id {
		return s.entries[i], true
	}
	return entry{}, false
}

func (s *stream) first() entryID {
	if len(s.entries) == 0 {
		return entryID{}
	}
	return s.entries[0].id
}

// between returns the entries from start to end, at most count, or all if
// count is negative.
func (s *stream) between(start, end entryID, count int64) []entry {
	var out []entry
	for i := s.from(start); i < len(s.entries) && s.entries[i].id.compare(end) <= 0; i++ {
		if count >= 0 && int64(len(out)) == count {
			break
		}
		out = append(out, s.entries[i])
	}
	return out
}

const (
	nodeEntries = 100
	nodeBytes   = 4096
)

func (s *stream) add(id entryID, fields []string) {
	size := 0
	for _, f := range fields {
		size += len(f) + 2
	}
	if s.nodeLen == 0 || s.nodeLen >= nodeEntries || s.nodeCap+size >= nodeBytes {
		s.node, s.nodeLen, s.nodeCap = s.node+1, 0, 0
	}
	s.nodeLen, s.nodeCap = s.nodeLen+1, s.nodeCap+size
	s.entries = append(s.entries, entry{id, fields, s.node})
	s.last = id
	s.added++
}

// remove takes an entry out as XDEL does.
func (s *stream) remove(id entryID) bool {
	i := s.from(id)
	if i == len(s.entries) || s.entries[i].id != id {
		return false
	}
	s.entries = slices.Delete(s.entries, i, i+1)
	if id.compare(s.maxDeleted) > 0 {
		s.maxDeleted = id
	}
	s.forgetNode()
	return true
}

// forgetNode starts a new node if the newest has no entry left.
func (s *stream) forgetNode() {
	if n := len(s.entries); n == 0 || s.entries[n-1].node != s.node {
		s.nodeLen = 0
	}
}

// trimming says what to cut off at the front.
type trimming struct {
	by    string // MAXLEN, MINID or nothing
	about bool
	max   int64
	min   entryID
	limit int64 // entries at most; 0 is all
}

func (s *stream) trim(t trimming) int64 {
	before := len(s.entries)
	if t.by != "" && t.about {
		s.trimNodes(t)
	} else if t.by != "" {
		s.entries = slices.Delete(s.entries, 0, s.tooMany(t))
	}
	s.forgetNode()
	return int64(before - len(s.entries))
}

// tooMany is how many entries an exact trimming takes.
func (s *stream) tooMany(t trimming) int {
	if t.by == "MINID" {
		return s.from(t.min)
	}
	return int(max(0, int64(len(s.entries))-t.max))
}

// trimNodes trims as Redis does, by whole nodes. Other than in Redis a surplus of
// a node or more goes to the last entry: the TypeScript SDK's tests trim 1000
// entries to 30, while those of the Python SDK leave 120 as they are.
func (s *stream) trimNodes(t trimming) {
	gone, most := 0, s.tooMany(t)
	if t.by == "MAXLEN" && most >= nodeEntries && (t.limit == 0 || int64(most) <= t.limit) {
		s.entries = slices.Delete(s.entries, 0, most)
		return
	}
	for gone < len(s.entries) {
		n := 1
		for gone+n < len(s.entries) && s.entries[gone+n].node == s.entries[gone].node {
			n++
		}
		if gone+n > most || t.limit > 0 && int64(gone+n) > t.limit {
			break
		}
		gone += n
	}
	s.entries = slices.Delete(s.entries, 0, gone)
}

// stream returns the stream at key, nil if there is none.
func (e *Engine) stream(key string) (*stream, Reply) {
	if s, ok := e.natives[key].(*stream); ok {
		return s, nilReply
	}
	if e.exists(key) {
		return nil, errorReply(msgWrongType)
	}
	return nil, nilReply
}

// streamGroup is a consumer group of a stream.
type streamGroup struct {
	last      entryID // the newest entry that was delivered
	read      int64   // how many were; unknownRead if that is not known
	pending   []*delivery
	consumers map[string]*consumer
}

func (g *streamGroup) clone() *streamGroup {
	o := &streamGroup{last: g.last, read: g.read, consumers: map[string]*consumer{}}
	for name, c := range g.consumers {
		copied := *c
		o.consumers[name] = &copied
	}
	for _, d := range g.pending {
		copied := *d
		copied.consumer = o.consumers[d.consumer.name]
		o.pending = append(o.pending, &copied)
	}
	return o
}

// consumer is a member of a group.
type consumer struct {
	name   string
	seen   int64 // when it last asked, in Unix milliseconds
	active int64 // when it last got something; 0 never
}

// delivery is an entry that a consumer has not acknowledged.
type delivery struct {
	id       entryID
	consumer *consumer
	at       int64 // Unix milliseconds
	count    int64
}

func (s *stream) groupNames() []string { return slices.Sorted(maps.Keys(s.groups)) }
