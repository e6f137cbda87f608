package engine

import "slices"

// cmdXRange is XRANGE and XREVRANGE.
func cmdXRange(e *Engine, c *call) Reply {
	from, to := c.args[2], c.args[3]
	if c.info.Name == "XREVRANGE" {
		from, to = to, from
	}
	start, bad := parseBound(from, false)
	if isError(bad) {
		return bad
	}
	end, bad := parseBound(to, true)
	if isError(bad) {
		return bad
	}
	count := int64(-1)
	for i := 4; i < len(c.args); i += 2 {
		if upper(c.args[i]) != "COUNT" || i+1 == len(c.args) {
			return errorReply(msgSyntax)
		}
		if count, bad = wholeNumber(c.args[i+1]); isError(bad) {
			return bad
		}
		count = max(count, 0)
	}
	s, bad := e.stream(c.args[1])
	switch {
	case isError(bad):
		return bad
	case s == nil:
		return array()
	case count == 0:
		return nilReply
	}
	if c.info.Name == "XRANGE" {
		return entryReplies(s.between(start, end, count))
	}
	found := s.between(start, end, -1)
	slices.Reverse(found)
	if count >= 0 && int64(len(found)) > count {
		found = found[:count]
	}
	return entryReplies(found)
}

func entryReplies(entries []entry) Reply {
	r := array()
	for _, en := range entries {
		r.Array = append(r.Array, en.reply())
	}
	return r
}

// reading is what XREAD or XREADGROUP was asked.
type reading struct {
	count           int64
	group, consumer string
	grouped, noAck  bool
	keys, ids       []string
}

// streams takes the keys, and as many entry IDs after them.
func (r *reading) streams(rest []string) Reply {
	if len(rest)%2 != 0 {
		return errorReply("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.")
	}
	r.keys, r.ids = rest[:len(rest)/2], rest[len(rest)/2:]
	return nilReply
}

func parseReading(name string, list []string) (r reading, bad Reply) {
	for i := 0; i < len(list); i++ {
		more := len(list) - i - 1
		switch word := upper(list[i]); {
		case word == "COUNT" && more > 0:
			i++
			if r.count, bad = wholeNumber(list[i]); isError(bad) {
				return r, bad
			}
		case word == "STREAMS" && more > 0:
			if bad := r.streams(list[i+1:]); isError(bad) {
				return r, bad
			}
			i = len(list)
		case name == "XREAD" && (word == "GROUP" && more > 1 || word == "NOACK"):
			return r, errorf("ERR The %s option is only supported by XREADGROUP. You called XREAD instead.", word)
		case word == "GROUP" && more > 1:
			r.grouped, r.group, r.consumer = true, list[i+1], list[i+2]
			i += 2
		case word == "NOACK":
			r.noAck = true
		default:
			return r, errorReply(msgSyntax)
		}
	}
	bad = r.check(name)
	return r, bad
}

func (r *reading) check(name string) Reply {
	if r.count <= 0 {
		r.count = -1 // all
	}
	switch {
	case r.keys == nil:
		return errorReply(msgSyntax)
	case name == "XREADGROUP" && !r.grouped:
		return errorReply("ERR Missing GROUP option for XREADGROUP")
	}
	return nilReply
}

// source is one stream to read from, and after which ID.
type source struct {
	key   string
	s     *stream // nil: no such key
	g     *streamGroup
	after entryID
	fresh bool // the ID was >: what the group has not seen
}

// sources finds all streams before any of them is read.
func (e *Engine) sources(r reading) ([]source, Reply) {
	all := make([]source, len(r.keys))
	for i, key := range r.keys {
		src := source{key: key}
		var bad Reply
		if src.s, bad = e.stream(key); isError(bad) {
			return nil, bad
		}
		if r.grouped {
			if src.s != nil {
				src.g = src.s.groups[r.group]
			}
			if src.g == nil {
				return nil, errorf("NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option", key, r.group)
			}
		}
		if bad := src.parseID(r.ids[i], r.grouped); isError(bad) {
			return nil, bad
		}
		all[i] = src
	}
	return all, nilReply
}

func (src *source) parseID(word string, grouped bool) Reply {
	switch {
	case word == "$" && grouped:
		return errorReply("ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.")
	case word == "$":
		if src.s != nil {
			src.after = src.s.last
		}
		return nilReply
	case word == ">" && !grouped:
		return errorReply("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.")
	case word == ">":
		src.fresh = true
		return nilReply
	}
	id, ok := parseEntryID(word, 0)
	if src.after = id; !ok {
		return badID
	}
	src.fresh = grouped && id == lastID // how Redis itself writes >
	return nilReply
}

// cmdXRead is XREAD and XREADGROUP.
func cmdXRead(e *Engine, c *call) Reply {
	r, bad := parseReading(c.info.Name, c.args[1:])
	if isError(bad) {
		return bad
	}
	all, bad := e.sources(r)
	if isError(bad) {
		return bad
	}
	out, now := array(), e.last.UnixMilli()
	for _, src := range all {
		var found Reply
		switch {
		case src.s == nil:
			continue
		case r.grouped:
			found = src.readAs(r, now)
		default:
			found = src.readAfter(r.count)
		}
		if !isNil(found) {
			out.Array = append(out.Array, array(bulk(src.key), found))
		}
	}
	if len(out.Array) == 0 {
		return nilReply
	}
	return out
}

func (src *source) readAfter(count int64) Reply {
	start, ok := src.after.next()
	if !ok {
		return nilReply
	}
	found := src.s.between(start, lastID, count)
	if len(found) == 0 {
		return nilReply
	}
	return entryReplies(found)
}

// readAs reads for a consumer: what is new to the group, or what the consumer
// has not acknowledged. A consumer is not made for nothing, nor, other than in
// Redis, by what needs no acknowledgement: the TypeScript SDK's tests show it.
func (src *source) readAs(r reading, now int64) Reply {
	if !src.fresh {
		return src.history(src.g.member(r.consumer, now), r.count, now)
	}
	if who := src.g.consumers[r.consumer]; who != nil {
		who.seen = now
	}
	start, ok := src.g.last.next()
	if !ok {
		return nilReply
	}
	found := src.s.between(start, lastID, r.count)
	if len(found) == 0 {
		return nilReply
	}
	who := src.g.consumers[r.consumer]
	if !r.noAck {
		who = src.g.member(r.consumer, now)
	}
	if who != nil {
		who.active = now
	}
	for _, en := range found {
		src.g.advance(src.s, en.id)
		if !r.noAck {
			src.g.deliver(en.id, who, now)
		}
	}
	return entryReplies(found)
}

func (src *source) history(who *consumer, count, now int64) Reply {
	out := array()
	for _, d := range src.g.pendingOf(who) {
		if d.id.compare(src.after) <= 0 {
			continue
		}
		if count >= 0 && int64(len(out.Array)) == count {
			break
		}
		en, ok := src.s.entry(d.id)
		if !ok {
			out.Array = append(out.Array, array(bulk(d.id.String()), nilReply))
			continue
		}
		d.at, d.count = now, d.count+1
		out.Array = append(out.Array, en.reply())
	}
	return out
}
