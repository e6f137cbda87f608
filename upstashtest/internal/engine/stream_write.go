package engine

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// adding is what XADD was asked, or XTRIM, which has no ID.
type adding struct {
	trim     trimming
	keepAway bool // NOMKSTREAM
	auto     bool // the ID is *
	autoSeq  bool // the ID is ms-*
	id       entryID
	fields   []string
}

// trimBy reads what follows MAXLEN or MINID, and says how many words that is.
func (a *adding) trimBy(word string, rest []string) (used int, bad Reply) {
	if a.trim.by != "" {
		return 0, errorReply("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
	}
	a.trim = trimming{by: word, limit: a.trim.limit}
	if len(rest) > 1 && (rest[0] == "~" || rest[0] == "=") {
		a.trim.about = rest[0] == "~"
		used++
	}
	return used + 1, a.trim.threshold(rest[used])
}

func (a *adding) trimAtMost(text string) (bad Reply) {
	if a.trim.limit, bad = wholeNumber(text); isError(bad) {
		return bad
	}
	if a.trim.limit < 0 {
		return errorReply("ERR The LIMIT argument must be >= 0.")
	}
	return nilReply
}

// parseAdding reads the words after the key.
func parseAdding(list []string, withID bool) (a adding, bad Reply) {
	limited := false
	i := 0
loop:
	for ; i < len(list); i++ {
		more := i+1 < len(list)
		switch word := upper(list[i]); {
		case withID && word == "*":
			a.auto = true
			break loop
		case more && slices.Contains([]string{"MAXLEN", "MINID"}, word):
			used, bad := a.trimBy(word, list[i+1:])
			if isError(bad) {
				return a, bad
			}
			i += used
		case word == "LIMIT" && more:
			i++
			if bad := a.trimAtMost(list[i]); isError(bad) {
				return a, bad
			}
			limited = true
		case withID && word == "NOMKSTREAM":
			a.keepAway = true
		case withID:
			bad = a.parseID(list[i])
			break loop
		default:
			return a, errorReply(msgSyntax)
		}
	}
	a.fields = list[min(i+1, len(list)):]
	if isError(bad) {
		return a, bad
	}
	return a, a.checkLimit(withID, limited)
}

func (a *adding) checkLimit(withID, limited bool) Reply {
	switch t := &a.trim; {
	case t.limit > 0 && t.by == "":
		return errorReply("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
	case !withID && t.by == "":
		return errorReply("ERR syntax error, XTRIM must be called with a trimming strategy")
	case limited && !t.about:
		return errorReply("ERR syntax error, LIMIT cannot be used without the special ~ option")
	case !limited && t.about:
		t.limit = 100 * nodeEntries
	}
	return nilReply
}

func (t *trimming) threshold(word string) (bad Reply) {
	if t.by == "MINID" {
		id, ok := parseEntryID(word, 0)
		if t.min = id; !ok {
			return badID
		}
		return nilReply
	}
	if t.max, bad = wholeNumber(word); !isError(bad) && t.max < 0 {
		return errorReply("ERR The MAXLEN argument must be >= 0.")
	}
	return bad
}

func (a *adding) parseID(word string) Reply {
	if ms, found := strings.CutSuffix(word, "-*"); found {
		n, err := strconv.ParseUint(ms, 10, 64)
		if err != nil {
			return badID
		}
		a.id, a.autoSeq = entryID{ms: n}, true
		return nilReply
	}
	id, ok := parseEntryID(word, 0)
	if a.id = id; !ok {
		return badID
	}
	return nilReply
}

func cmdXAdd(e *Engine, c *call) Reply {
	key := c.args[1]
	a, bad := parseAdding(c.args[2:], true)
	switch {
	case isError(bad):
		return bad
	case len(a.fields) < 2 || len(a.fields)%2 == 1:
		return wrongArity("XADD")
	case !a.auto && !a.autoSeq && a.id.isZero():
		return errorReply("ERR The ID specified in XADD must be greater than 0-0")
	}
	s, bad := e.stream(key)
	if isError(bad) {
		return bad
	}
	if s == nil {
		if a.keepAway {
			return nilReply
		}
		s = newStream()
	}
	if s.last == lastID {
		return errorReply("ERR The stream has exhausted the last possible ID, unable to add more items")
	}
	id, ok := a.idFor(s, e.last.UnixMilli())
	if !ok {
		return errorReply("ERR The ID specified in XADD is equal or smaller than the target stream top item")
	}
	e.setNative(key, s)
	s.add(id, a.fields)
	s.trim(a.trim)
	return bulk(id.String())
}

// idFor is the ID of the new entry; false if it does not come after the last.
func (a *adding) idFor(s *stream, now int64) (entryID, bool) {
	id := a.id
	switch {
	case a.auto:
		if id = (entryID{ms: uint64(now)}); id.ms <= s.last.ms {
			id, _ = s.last.next()
		}
	case a.autoSeq && id.ms == s.last.ms:
		if s.last.seq == math.MaxUint64 {
			return id, false
		}
		id.seq = s.last.seq + 1
	}
	return id, id.compare(s.last) > 0
}

func cmdXTrim(e *Engine, c *call) Reply {
	a, bad := parseAdding(c.args[2:], false)
	if isError(bad) {
		return bad
	}
	s, bad := e.stream(c.args[1])
	if s == nil {
		return orZero(bad)
	}
	return intReply(s.trim(a.trim))
}

func parseIDList(words []string) ([]entryID, Reply) {
	ids := make([]entryID, len(words))
	for i, w := range words {
		id, ok := parseEntryID(w, 0)
		if ids[i] = id; !ok {
			return nil, badID
		}
	}
	return ids, nilReply
}

func cmdXDel(e *Engine, c *call) Reply {
	s, bad := e.stream(c.args[1])
	if s == nil {
		return orZero(bad)
	}
	ids, bad := parseIDList(c.args[2:])
	if isError(bad) {
		return bad
	}
	n := int64(0)
	for _, id := range ids {
		if s.remove(id) {
			n++
		}
	}
	return intReply(n)
}

// refs is what happens to an entry that groups still refer to.
type refs string

const (
	keepRefs refs = "KEEPREF" // the entry goes, references stay
	delRefs  refs = "DELREF"  // both go
	ackRefs  refs = "ACKED"   // the entry goes only when no group needs it
)

// parseRefs reads "[KEEPREF|DELREF|ACKED] IDS n id ...".
func parseRefs(list []string) (refs, []entryID, Reply) {
	how := keepRefs
	if word := refs(upper(list[0])); word == keepRefs || word == delRefs || word == ackRefs {
		how, list = word, list[1:]
	}
	if len(list) < 3 || upper(list[0]) != "IDS" {
		return how, nil, errorReply(msgSyntax)
	}
	n, err := strictAtoi(list[1])
	switch {
	case err != nil || n < 1:
		return how, nil, errorReply("ERR Number of IDs must be a positive integer")
	case n != len(list)-2:
		return how, nil, errorReply("ERR The `numids` parameter must match the number of arguments")
	}
	ids, bad := parseIDList(list[2:])
	return how, ids, bad
}

// needed reports whether a group has still to read or acknowledge the entry.
func (s *stream) needed(id entryID) bool {
	for _, g := range s.groups {
		if g.last.compare(id) < 0 || g.find(id) != nil {
			return true
		}
	}
	return false
}

// drop deletes an entry: 1 it went, 2 it is still needed, -1 there is none.
func (s *stream) drop(id entryID, how refs) int64 {
	if _, ok := s.entry(id); !ok {
		return -1
	}
	if how == ackRefs && s.needed(id) {
		return 2
	}
	if how == delRefs {
		for _, g := range s.groups {
			g.ack(id)
		}
	}
	s.remove(id)
	return 1
}

func cmdXDelEX(e *Engine, c *call) Reply {
	how, ids, bad := parseRefs(c.args[2:])
	if isError(bad) {
		return bad
	}
	s, bad := e.stream(c.args[1])
	if isError(bad) {
		return bad
	}
	if s == nil {
		return repeated(len(ids), -1)
	}
	r := array()
	for _, id := range ids {
		r.Array = append(r.Array, intReply(s.drop(id, how)))
	}
	return r
}

func cmdXLen(e *Engine, c *call) Reply {
	s, bad := e.stream(c.args[1])
	if s == nil {
		return orZero(bad)
	}
	return intReply(int64(len(s.entries)))
}
