package engine

import (
	"slices"
	"strconv"
	"strings"
)

func streamCommands() map[string]handler {
	return map[string]handler{
		"XGROUP SETID": cmdXGroupSetID, "XDELEX": cmdXDelEX, "XACKDEL": cmdXAckDel, "XTRIM": cmdXTrim,
		"XREADGROUP": cmdXReadGroup,
	}
}

// cmdXGroupSetID moves a group by making it anew: its consumers and pending
// entries are put back. miniredis has no way to move one.
func cmdXGroupSetID(e *Engine, c *call) Reply {
	key, group, id := c.args[2], c.args[3], c.args[4]
	if e.typeOf(key) == "none" {
		return errorReply("ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.")
	}
	consumers := e.raw("XINFO", "CONSUMERS", key, group)
	if isError(consumers) {
		return errorf("NOGROUP No such consumer group '%s' for key name '%s'", group, key)
	}
	pending := e.raw("XPENDING", key, group, "-", "+", "1000000")
	if isError(pending) {
		return pending
	}
	// A test of the ID on another group, so that a bad one destroys nothing.
	const probe = "\x00restash:probe"
	if r := e.raw("XGROUP", "CREATE", key, probe, id); isError(r) {
		return r
	}
	e.raw("XGROUP", "DESTROY", key, probe)
	e.raw("XGROUP", "DESTROY", key, group)
	e.raw("XGROUP", "CREATE", key, group, id)
	for _, one := range consumers.Array {
		e.raw("XGROUP", "CREATECONSUMER", key, group, text(one.Array[1]))
	}
	for _, p := range pending.Array {
		e.raw("XCLAIM", key, group, text(p.Array[1]), "0", text(p.Array[0]),
			"IDLE", itoa(p.Array[2].Int), "RETRYCOUNT", itoa(p.Array[3].Int), "FORCE", "JUSTID")
	}
	return okReply()
}

// refs is what happens to an entry that groups still refer to.
type refs string

const (
	keepRefs refs = "KEEPREF" // the entry goes, references stay
	delRefs  refs = "DELREF"  // both go
	ackRefs  refs = "ACKED"   // the entry goes only when no group needs it
)

// parseIDs reads "[KEEPREF|DELREF|ACKED] IDS n id ...".
func parseIDs(list []string) (refs, []string, Reply) {
	how := keepRefs
	if word := refs(upper(list[0])); word == keepRefs || word == delRefs || word == ackRefs {
		how, list = word, list[1:]
	}
	if len(list) < 3 || upper(list[0]) != "IDS" {
		return how, nil, errorReply(msgSyntax)
	}
	n, err := strconv.Atoi(list[1])
	switch {
	case err != nil || n < 1:
		return how, nil, errorReply("ERR Number of IDs must be a positive integer")
	case n != len(list)-2:
		return how, nil, errorReply("ERR The `numids` parameter must match the number of arguments")
	}
	for _, id := range list[2:] {
		if _, ok := parseStreamID(id); !ok {
			return how, nil, errorReply("ERR Invalid stream ID specified as stream command argument")
		}
	}
	return how, list[2:], nilReply
}

func parseStreamID(id string) ([2]uint64, bool) {
	ms, seq, found := strings.Cut(id, "-")
	a, err := strconv.ParseUint(ms, 10, 64)
	if err != nil {
		return [2]uint64{}, false
	}
	if !found {
		return [2]uint64{a, 0}, true
	}
	b, err := strconv.ParseUint(seq, 10, 64)
	return [2]uint64{a, b}, err == nil
}

// group is one consumer group of a stream.
type group struct {
	name string
	last [2]uint64 // the newest entry that was delivered
}

func (e *Engine) groups(key string) []group {
	var gs []group
	for _, one := range e.raw("XINFO", "GROUPS", key).Array {
		g := group{}
		for i := 0; i+1 < len(one.Array); i += 2 {
			switch text(one.Array[i]) {
			case "name":
				g.name = text(one.Array[i+1])
			case "last-delivered-id":
				g.last, _ = parseStreamID(text(one.Array[i+1]))
			}
		}
		gs = append(gs, g)
	}
	return gs
}

func (e *Engine) isPending(key, group, id string) bool {
	return len(e.raw("XPENDING", key, group, id, id, "1").Array) > 0
}

// needed reports whether a group has still to read or acknowledge the entry.
func (e *Engine) needed(key, id string) bool {
	at, _ := parseStreamID(id)
	return slices.ContainsFunc(e.groups(key), func(g group) bool {
		return slices.Compare(g.last[:], at[:]) < 0 || e.isPending(key, g.name, id)
	})
}

// drop deletes an entry: 1 it went, 2 it is still needed, -1 there is none.
func (e *Engine) drop(key, id string, how refs) int64 {
	if len(e.raw("XRANGE", key, id, id).Array) == 0 {
		return -1
	}
	if how == ackRefs && e.needed(key, id) {
		return 2
	}
	if how == delRefs {
		for _, g := range e.groups(key) {
			e.raw("XACK", key, g.name, id)
		}
	}
	e.raw("XDEL", key, id)
	return 1
}

func (e *Engine) checkStream(key string) Reply {
	if t := e.typeOf(key); t != "stream" && t != "none" {
		return errorReply(msgWrongType)
	}
	return nilReply
}

func cmdXDelEX(e *Engine, c *call) Reply {
	how, ids, bad := parseIDs(c.args[2:])
	if isError(bad) {
		return bad
	}
	if bad := e.checkStream(c.args[1]); isError(bad) {
		return bad
	}
	r := array()
	for _, id := range ids {
		r.Array = append(r.Array, intReply(e.drop(c.args[1], id, how)))
	}
	return r
}

// cmdXAckDel acknowledges first; an entry that was not pending is left alone.
func cmdXAckDel(e *Engine, c *call) Reply {
	key, name := c.args[1], c.args[2]
	how, ids, bad := parseIDs(c.args[3:])
	if isError(bad) {
		return bad
	}
	if bad := e.checkStream(key); isError(bad) {
		return bad
	}
	r := array()
	for _, id := range ids {
		n := int64(-1)
		if e.raw("XACK", key, name, id).Int == 1 {
			if n = e.drop(key, id, how); n == -1 {
				n = 1 // acknowledged, and the entry had gone before
			}
		}
		r.Array = append(r.Array, intReply(n))
	}
	return r
}

func cmdXTrim(e *Engine, c *call) Reply {
	if by := upper(c.args[2]); by != "MAXLEN" && by != "MINID" {
		return errorReply(msgSyntax)
	}
	return e.raw(c.args...)
}

// cmdXReadGroup keeps what was read with NOACK out of the pending entries,
// which miniredis does not; a consumer that only read so is not kept either.
func cmdXReadGroup(e *Engine, c *call) Reply {
	streams := slices.IndexFunc(c.args, func(a string) bool { return upper(a) == "STREAMS" })
	if streams > 0 && (len(c.args)-streams-1)%2 == 1 {
		return errorReply("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.")
	}
	if streams < 0 || !slices.ContainsFunc(c.args[:streams], func(a string) bool { return upper(a) == "NOACK" }) {
		return e.raw(c.args...)
	}
	name, consumer := c.args[2], c.args[3]
	known := map[string]bool{}
	for _, key := range c.info.Keys(c.args) {
		for _, one := range e.raw("XINFO", "CONSUMERS", key, name).Array {
			if text(one.Array[1]) == consumer {
				known[key] = true
			}
		}
	}
	r := e.raw(c.args...)
	if isError(r) {
		return r
	}
	for _, s := range r.Array {
		key := text(s.Array[0])
		for _, entry := range s.Array[1].Array {
			e.raw("XACK", key, name, text(entry.Array[0]))
		}
		if !known[key] {
			e.raw("XGROUP", "DELCONSUMER", key, name, consumer)
		}
	}
	return r
}
