package engine

import (
	"maps"
	"slices"
)

const unknownRead = -1

// from is the index of the first pending entry that is not below id.
func (g *streamGroup) from(id entryID) int {
	i, _ := slices.BinarySearchFunc(g.pending, id, func(d *delivery, id entryID) int { return d.id.compare(id) })
	return i
}

func (g *streamGroup) find(id entryID) *delivery {
	if i := g.from(id); i < len(g.pending) && g.pending[i].id == id {
		return g.pending[i]
	}
	return nil
}

// ack takes an entry out of the pending ones.
func (g *streamGroup) ack(id entryID) bool {
	i := g.from(id)
	if i == len(g.pending) || g.pending[i].id != id {
		return false
	}
	g.pending = slices.Delete(g.pending, i, i+1)
	return true
}

// deliver makes an entry pending for a consumer, whoever had it before.
func (g *streamGroup) deliver(id entryID, to *consumer, now int64) *delivery {
	d := g.find(id)
	if d == nil {
		d = &delivery{id: id}
		g.pending = slices.Insert(g.pending, g.from(id), d)
	}
	d.consumer, d.at, d.count = to, now, 1
	return d
}

func (g *streamGroup) pendingOf(c *consumer) []*delivery {
	var mine []*delivery
	for _, d := range g.pending {
		if d.consumer == c {
			mine = append(mine, d)
		}
	}
	return mine
}

// member returns the consumer of that name, made if there is none.
func (g *streamGroup) member(name string, now int64) *consumer {
	c := g.consumers[name]
	if c == nil {
		c = &consumer{name: name}
		g.consumers[name] = c
	}
	c.seen = now
	return c
}

// names returns the consumers in order.
func (g *streamGroup) names() []string { return slices.Sorted(maps.Keys(g.consumers)) }

// advance notes that an entry was delivered. Whether the count of all that were
// is still known depends on whether entries after it were deleted.
func (g *streamGroup) advance(s *stream, id entryID) {
	if id.compare(g.last) <= 0 {
		return
	}
	if g.read != unknownRead && !s.hasTombstones(id) {
		g.read++
	} else if s.added > 0 {
		g.read = s.distance(id)
	}
	g.last = id
}

// hasTombstones reports whether an entry from start on was deleted, among those
// that are left: what lies before the first of them does not count.
func (s *stream) hasTombstones(start entryID) bool {
	return len(s.entries) > 0 && !s.maxDeleted.isZero() &&
		s.first().compare(s.maxDeleted) <= 0 && start.compare(s.maxDeleted) <= 0
}

// distance is how many entries were ever added up to id, if that can be told.
func (s *stream) distance(id entryID) int64 {
	added := int64(s.added)
	last := id.compare(s.last)
	switch {
	case added == 0:
		return 0
	case len(s.entries) == 0 && last <= 0:
		return added
	case last == 0:
		return added
	case last > 0:
		return unknownRead
	}
	if s.maxDeleted.isZero() || s.maxDeleted.compare(s.first()) < 0 {
		switch n := added - int64(len(s.entries)); id.compare(s.first()) {
		case -1:
			return n
		case 0:
			return n + 1
		}
	}
	return unknownRead
}

// lag is how many entries the group has still to read, if that can be told.
func (s *stream) lag(g *streamGroup) Reply {
	switch {
	case s.added == 0:
		return intReply(0)
	case g.read != unknownRead && !s.hasTombstones(g.last):
		return intReply(int64(s.added) - g.read)
	}
	if read := s.distance(g.last); read != unknownRead {
		return intReply(int64(s.added) - read)
	}
	return nilReply
}

func noGroup(key, group string) Reply {
	return errorf("NOGROUP No such key '%s' or consumer group '%s'", key, group)
}

// groupOf finds a group; the stream is nil where there is no such key.
func (e *Engine) groupOf(key, name string) (*stream, *streamGroup, Reply) {
	s, bad := e.stream(key)
	if s == nil {
		return nil, nil, bad
	}
	return s, s.groups[name], nilReply
}

// cmdXGroup is XGROUP with all its subcommands.
func cmdXGroup(e *Engine, c *call) Reply {
	key, name := c.args[2], c.args[3]
	sub := c.info.Name[len("XGROUP "):]
	make, read, bad := parseGroupOptions(c, sub)
	if isError(bad) {
		return bad
	}
	s, g, bad := e.groupOf(key, name)
	switch {
	case isError(bad):
		return bad
	case s == nil && !make:
		return errorReply("ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.")
	case g == nil && sub != "CREATE" && sub != "DESTROY":
		return errorf("NOGROUP No such consumer group '%s' for key name '%s'", name, key)
	}
	switch sub {
	case "CREATE", "SETID":
		return e.setGroup(c, s, g, read)
	case "DESTROY":
		delete(s.groups, name)
		return boolReply(g != nil)
	case "CREATECONSUMER":
		known := g.consumers[c.args[4]] != nil
		if !known {
			g.member(c.args[4], e.last.UnixMilli())
		}
		return boolReply(!known)
	}
	return g.expel(c.args[4])
}

func parseGroupOptions(c *call, sub string) (make bool, read int64, bad Reply) {
	read = unknownRead
	for i := 5; i < len(c.args); i++ {
		switch word := upper(c.args[i]); {
		case word == "MKSTREAM" && sub == "CREATE":
			make = true
		case word == "ENTRIESREAD" && (sub == "CREATE" || sub == "SETID") && i+1 < len(c.args):
			i++
			if read, bad = wholeNumber(c.args[i]); isError(bad) {
				return make, read, bad
			}
			if read < 0 && read != unknownRead {
				return make, read, errorReply("ERR value for ENTRIESREAD must be positive or -1")
			}
		default:
			return make, read, errorf("ERR unknown subcommand or wrong number of arguments for '%s'. Try XGROUP HELP.", c.args[1])
		}
	}
	return make, read, nilReply
}

// setGroup is XGROUP CREATE and SETID.
func (e *Engine) setGroup(c *call, s *stream, g *streamGroup, read int64) Reply {
	id, ok := parseEntryID(c.args[4], 0)
	if end := c.args[4]; c.info.Name == "XGROUP SETID" && (end == "-" || end == "+") {
		ok = true
		if end == "+" {
			id = lastID
		}
	}
	switch {
	case c.args[4] == "$":
		if s != nil {
			id = s.last
		}
	case !ok:
		return badID
	}
	if c.info.Name == "XGROUP CREATE" {
		if g != nil {
			return errorReply("BUSYGROUP Consumer Group name already exists")
		}
		if s == nil {
			s = newStream()
			e.setNative(c.args[2], s)
		}
		g = &streamGroup{consumers: map[string]*consumer{}}
		s.groups[c.args[3]] = g
	}
	g.last, g.read = id, read
	return okReply()
}

// expel removes a consumer and returns how many entries it had pending.
func (g *streamGroup) expel(name string) Reply {
	c := g.consumers[name]
	if c == nil {
		return intReply(0)
	}
	before := len(g.pending)
	g.pending = slices.DeleteFunc(g.pending, func(d *delivery) bool { return d.consumer == c })
	delete(g.consumers, name)
	return intReply(int64(before - len(g.pending)))
}
