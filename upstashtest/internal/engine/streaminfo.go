package engine

import "strconv"

func streamInfoCommands() map[string]handler {
	return map[string]handler{"XINFO STREAM": cmdXInfoStream}
}

// cmdXInfoStream has all fields of Redis. What miniredis does not count is put
// in as if nothing had ever been deleted.
func cmdXInfoStream(e *Engine, c *call) Reply {
	key := c.args[2]
	full := len(c.args) > 3 && upper(c.args[3]) == "FULL"
	count := 10
	switch {
	case len(c.args) == 6 && full && upper(c.args[4]) == "COUNT":
		var err error
		if count, err = strconv.Atoi(c.args[5]); err != nil {
			return errorReply(msgNotInt)
		}
	case len(c.args) > 3 && !(full && len(c.args) == 4):
		return errorReply("ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.")
	}
	if e.typeOf(key) == "none" {
		return errorReply(msgNoKey)
	}
	short := e.raw("XINFO", "STREAM", key)
	if isError(short) {
		return short
	}
	entries := e.raw("XRANGE", key, "-", "+").Array
	firstID, first, last := "0-0", nilReply, nilReply
	if len(entries) > 0 {
		first, last = entries[0], entries[len(entries)-1]
		firstID = text(first.Array[0])
	}
	r := array(
		bulk("length"), intReply(int64(len(entries))),
		bulk("radix-tree-keys"), intReply(1), bulk("radix-tree-nodes"), intReply(2),
		bulk("last-generated-id"), valueOf(short, "last-generated-id"),
		bulk("max-deleted-entry-id"), bulk("0-0"),
		bulk("entries-added"), intReply(int64(len(entries))),
		bulk("recorded-first-entry-id"), bulk(firstID))
	if !full {
		r.Array = append(r.Array, bulk("groups"), intReply(int64(len(e.groups(key)))),
			bulk("first-entry"), first, bulk("last-entry"), last)
		return r
	}
	if count > 0 {
		entries = entries[:min(count, len(entries))]
	}
	groups := array()
	for _, g := range e.groups(key) {
		groups.Array = append(groups.Array, e.groupInfo(key, g))
	}
	r.Array = append(r.Array, bulk("entries"), array(entries...), bulk("groups"), groups)
	return r
}

// valueOf finds the value that follows a name in a flat list.
func valueOf(list Reply, name string) Reply {
	for i := 0; i+1 < len(list.Array); i += 2 {
		if text(list.Array[i]) == name {
			return list.Array[i+1]
		}
	}
	return nilReply
}

// groupInfo is one group of XINFO STREAM FULL.
func (e *Engine) groupInfo(key string, g group) Reply {
	pending, byConsumer := array(), map[string][]Reply{}
	for _, p := range e.raw("XPENDING", key, g.name, "-", "+", "1000000").Array {
		id, consumer := p.Array[0], text(p.Array[1])
		delivered := intReply(e.last.UnixMilli() - p.Array[2].Int)
		pending.Array = append(pending.Array, array(id, bulk(consumer), delivered, p.Array[3]))
		byConsumer[consumer] = append(byConsumer[consumer], array(id, delivered, p.Array[3]))
	}
	consumers := array()
	for _, one := range e.raw("XINFO", "CONSUMERS", key, g.name).Array {
		name := text(valueOf(one, "name"))
		consumers.Array = append(consumers.Array, array(
			bulk("name"), bulk(name), bulk("seen-time"), intReply(e.last.UnixMilli()),
			bulk("pel-count"), intReply(int64(len(byConsumer[name]))), bulk("pending"), array(byConsumer[name]...)))
	}
	return array(
		bulk("name"), bulk(g.name), bulk("last-delivered-id"), bulk(streamID(g.last)),
		bulk("entries-read"), nilReply, bulk("lag"), nilReply,
		bulk("pel-count"), intReply(int64(len(pending.Array))), bulk("pending"), pending, bulk("consumers"), consumers)
}

func streamID(id [2]uint64) string {
	return strconv.FormatUint(id[0], 10) + "-" + strconv.FormatUint(id[1], 10)
}
