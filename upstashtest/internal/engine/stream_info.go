package engine

// cmdXInfoStream is XINFO STREAM key [FULL [COUNT n]].
func cmdXInfoStream(e *Engine, c *call) Reply {
	s, bad := e.stream(c.args[2])
	switch {
	case isError(bad):
		return bad
	case s == nil:
		return errorReply(msgNoKey)
	}
	full := len(c.args) > 3
	count := int64(10)
	if full {
		if upper(c.args[3]) != "FULL" || len(c.args) != 4 && (len(c.args) != 6 || upper(c.args[4]) != "COUNT") {
			return errorf("ERR unknown subcommand or wrong number of arguments for '%s'. Try XINFO HELP.", c.args[1])
		}
		if len(c.args) == 6 {
			if count, bad = wholeNumber(c.args[5]); isError(bad) {
				return bad
			}
			if count < 0 {
				count = 10
			}
		}
	}
	nodes := int64(s.nodes())
	r := array(
		bulk("length"), intReply(int64(len(s.entries))),
		bulk("radix-tree-keys"), intReply(nodes), bulk("radix-tree-nodes"), intReply(nodes+1),
		bulk("last-generated-id"), bulk(s.last.String()),
		bulk("max-deleted-entry-id"), bulk(s.maxDeleted.String()),
		bulk("entries-added"), intReply(int64(s.added)),
		bulk("recorded-first-entry-id"), bulk(s.first().String()))
	if !full {
		first, last := nilReply, nilReply
		if n := len(s.entries); n > 0 {
			first, last = s.entries[0].reply(), s.entries[n-1].reply()
		}
		r.Array = append(r.Array, bulk("groups"), intReply(int64(len(s.groups))),
			bulk("first-entry"), first, bulk("last-entry"), last)
		return r
	}
	if count == 0 {
		count = -1
	}
	groups := array()
	for _, name := range s.groupNames() {
		groups.Array = append(groups.Array, s.groupInfo(name, count))
	}
	r.Array = append(r.Array, bulk("entries"), entryReplies(s.between(entryID{}, lastID, count)), bulk("groups"), groups)
	return r
}

func (s *stream) nodes() int {
	n := 0
	for i, en := range s.entries {
		if i == 0 || s.entries[i-1].node != en.node {
			n++
		}
	}
	return n
}

func (g *streamGroup) readReply() Reply {
	if g.read == unknownRead {
		return nilReply
	}
	return intReply(g.read)
}

// groupInfo is one group of XINFO STREAM FULL.
func (s *stream) groupInfo(name string, count int64) Reply {
	g := s.groups[name]
	pending := array()
	for _, d := range firstOf(g.pending, count) {
		pending.Array = append(pending.Array, array(bulk(d.id.String()), bulk(d.consumer.name), intReply(d.at), intReply(d.count)))
	}
	consumers := array()
	for _, name := range g.names() {
		c := g.consumers[name]
		mine := g.pendingOf(c)
		list := array()
		for _, d := range firstOf(mine, count) {
			list.Array = append(list.Array, array(bulk(d.id.String()), intReply(d.at), intReply(d.count)))
		}
		consumers.Array = append(consumers.Array, array(
			bulk("name"), bulk(name), bulk("seen-time"), intReply(c.seen),
			bulk("pel-count"), intReply(int64(len(mine))), bulk("pending"), list))
	}
	return array(
		bulk("name"), bulk(name), bulk("last-delivered-id"), bulk(g.last.String()),
		bulk("entries-read"), g.readReply(), bulk("lag"), s.lag(g),
		bulk("pel-count"), intReply(int64(len(g.pending))), bulk("pending"), pending, bulk("consumers"), consumers)
}

func firstOf[T any](list []T, n int64) []T {
	if n >= 0 && int64(len(list)) > n {
		return list[:n]
	}
	return list
}

func cmdXInfoGroups(e *Engine, c *call) Reply {
	s, bad := e.stream(c.args[2])
	switch {
	case isError(bad):
		return bad
	case s == nil:
		return errorReply(msgNoKey)
	}
	r := array()
	for _, name := range s.groupNames() {
		g := s.groups[name]
		r.Array = append(r.Array, array(
			bulk("name"), bulk(name), bulk("consumers"), intReply(int64(len(g.consumers))),
			bulk("pending"), intReply(int64(len(g.pending))), bulk("last-delivered-id"), bulk(g.last.String()),
			bulk("entries-read"), g.readReply(), bulk("lag"), s.lag(g)))
	}
	return r
}

// cmdXInfoConsumers answers an empty list for a group that is not there, as
// Upstash does: the Python SDK's tests show it. Redis has an error.
func cmdXInfoConsumers(e *Engine, c *call) Reply {
	s, g, bad := e.groupOf(c.args[2], c.args[3])
	switch {
	case isError(bad):
		return bad
	case s == nil:
		return errorReply(msgNoKey)
	case g == nil:
		return array()
	}
	r, now := array(), e.last.UnixMilli()
	for _, name := range g.names() {
		one := g.consumers[name]
		r.Array = append(r.Array, array(bulk("name"), bulk(name),
			bulk("pending"), intReply(int64(len(g.pendingOf(one)))), bulk("idle"), intReply(now-one.seen)))
	}
	return r
}
