package engine

import (
	"math"
	"slices"
)

func cmdXAck(e *Engine, c *call) Reply {
	_, g, bad := e.groupOf(c.args[1], c.args[2])
	if g == nil {
		return orZero(bad)
	}
	ids, bad := parseIDList(c.args[3:])
	if isError(bad) {
		return bad
	}
	n := int64(0)
	for _, id := range ids {
		if g.ack(id) {
			n++
		}
	}
	return intReply(n)
}

// cmdXAckDel acknowledges and deletes. What was acknowledged before is deleted
// all the same, as the Python SDK's tests show; what the group has not read yet
// is left alone.
func cmdXAckDel(e *Engine, c *call) Reply {
	how, ids, bad := parseRefs(c.args[3:])
	if isError(bad) {
		return bad
	}
	s, g, bad := e.groupOf(c.args[1], c.args[2])
	if isError(bad) {
		return bad
	}
	if g == nil {
		return repeated(len(ids), -1)
	}
	r := array()
	for _, id := range ids {
		acked, n := g.ack(id), int64(-1)
		if acked || id.compare(g.last) <= 0 {
			n = s.drop(id, how)
		}
		if n == -1 && acked {
			n = 1 // the entry had gone before
		}
		r.Array = append(r.Array, intReply(n))
	}
	return r
}

func cmdXPending(e *Engine, c *call) Reply {
	key, name := c.args[1], c.args[2]
	if n := len(c.args); n != 3 && (n < 6 || n > 9) {
		return errorReply(msgSyntax)
	}
	var o pendingOptions
	if len(c.args) > 3 {
		var bad Reply
		if o, bad = parsePending(c.args[3:]); isError(bad) {
			return bad
		}
	}
	_, g, bad := e.groupOf(key, name)
	switch {
	case isError(bad):
		return bad
	case g == nil:
		return noGroup(key, name)
	case len(c.args) == 3:
		return g.summary()
	}
	out, now := array(), e.last.UnixMilli()
	for _, d := range g.pending[g.from(o.start):] {
		switch {
		case d.id.compare(o.end) > 0 || int64(len(out.Array)) >= o.count:
			return out
		case o.named && d.consumer.name != o.consumer, now-d.at < o.idle:
			continue
		}
		out.Array = append(out.Array, array(bulk(d.id.String()), bulk(d.consumer.name), intReply(now-d.at), intReply(d.count)))
	}
	return out
}

type pendingOptions struct {
	idle, count int64
	start, end  entryID
	consumer    string
	named       bool
}

func parsePending(list []string) (o pendingOptions, bad Reply) {
	if upper(list[0]) == "IDLE" {
		if o.idle, bad = wholeNumber(list[1]); isError(bad) {
			return o, bad
		}
		if len(list) < 5 {
			return o, errorReply(msgSyntax)
		}
		list = list[2:]
	}
	if o.count, bad = wholeNumber(list[2]); isError(bad) {
		return o, bad
	}
	if o.start, bad = parseBound(list[0], false); isError(bad) {
		return o, bad
	}
	if o.end, bad = parseBound(list[1], true); isError(bad) {
		return o, bad
	}
	if o.named = len(list) > 3; o.named {
		o.consumer = list[3]
	}
	return o, nilReply
}

// summary is XPENDING without a range.
func (g *streamGroup) summary() Reply {
	if len(g.pending) == 0 {
		return array(intReply(0), nilReply, nilReply, nilReply)
	}
	counts := map[string]int64{}
	for _, d := range g.pending {
		counts[d.consumer.name]++
	}
	consumers := array()
	for _, name := range g.names() {
		if counts[name] > 0 {
			consumers.Array = append(consumers.Array, array(bulk(name), bulk(itoa(counts[name]))))
		}
	}
	first, last := g.pending[0].id, g.pending[len(g.pending)-1].id
	return array(intReply(int64(len(g.pending))), bulk(first.String()), bulk(last.String()), consumers)
}

// claiming is what XCLAIM was asked.
type claiming struct {
	ids           []entryID
	at, retries   int64 // -1: not given
	force, justID bool
	last          entryID
}

// number reads what follows IDLE, TIME and RETRYCOUNT.
func (o *claiming) number(word, text string, now int64) Reply {
	n, ok := parseInteger(text)
	if !ok {
		return errorf("ERR Invalid %s option argument for XCLAIM", word)
	}
	switch word {
	case "IDLE":
		o.at = now - n
	case "TIME":
		o.at = n
	default:
		o.retries = n
	}
	return nilReply
}

// takeIDs reads entry IDs up to the first word that is none.
func (o *claiming) takeIDs(list []string) (used int) {
	for _, text := range list {
		id, ok := parseEntryID(text, 0)
		if !ok {
			break
		}
		o.ids = append(o.ids, id)
	}
	return len(o.ids)
}

func parseClaiming(list []string, now int64) (o claiming, bad Reply) {
	o.at, o.retries = -1, -1
	for i := o.takeIDs(list); i < len(list); i++ {
		word, more := upper(list[i]), i+1 < len(list)
		switch {
		case word == "FORCE":
			o.force = true
		case word == "JUSTID":
			o.justID = true
		case more && slices.Contains([]string{"IDLE", "TIME", "RETRYCOUNT"}, word):
			i++
			if bad := o.number(word, list[i], now); isError(bad) {
				return o, bad
			}
		case more && word == "LASTID":
			i++
			id, ok := parseEntryID(list[i], 0)
			if o.last = id; !ok {
				return o, badID
			}
		default:
			return o, errorf("ERR Unrecognized XCLAIM option '%s'", list[i])
		}
	}
	if o.at < 0 || o.at > now {
		o.at = now
	}
	return o, nilReply
}

func cmdXClaim(e *Engine, c *call) Reply {
	s, g, bad := e.groupOf(c.args[1], c.args[2])
	switch {
	case isError(bad):
		return bad
	case g == nil:
		return noGroup(c.args[1], c.args[2])
	}
	least, ok := parseInteger(c.args[4])
	if !ok {
		return errorReply("ERR Invalid min-idle-time argument for XCLAIM")
	}
	now := e.last.UnixMilli()
	o, bad := parseClaiming(c.args[5:], now)
	if isError(bad) {
		return bad
	}
	if o.last.compare(g.last) > 0 {
		g.last = o.last
	}
	who, out := g.consumers[c.args[3]], array()
	if who != nil {
		who.seen = now
	}
	for _, id := range o.ids {
		en, exists := s.entry(id)
		d := g.find(id)
		switch {
		case !exists:
			g.ack(id) // it can never be delivered again
			continue
		case d == nil && !o.force, d != nil && least > 0 && now-d.at < least:
			continue
		}
		if who == nil {
			who = g.member(c.args[3], now) // made by its first entry only
		}
		if d == nil {
			d = g.deliver(id, who, now)
		}
		o.handOver(d, who)
		who.active = now
		out.Array = append(out.Array, claimed(en, o.justID))
	}
	return out
}

// handOver gives an entry to a consumer and counts the delivery.
func (o claiming) handOver(d *delivery, who *consumer) {
	d.consumer, d.at = who, o.at
	switch {
	case o.retries >= 0:
		d.count = o.retries
	case !o.justID:
		d.count++
	}
}

func claimed(en entry, justID bool) Reply {
	if justID {
		return bulk(en.id.String())
	}
	return en.reply()
}

func cmdXAutoClaim(e *Engine, c *call) Reply {
	least, ok := parseInteger(c.args[4])
	if !ok {
		return errorReply("ERR Invalid min-idle-time argument for XAUTOCLAIM")
	}
	start, bad := parseBound(c.args[5], false)
	if isError(bad) {
		return bad
	}
	count, justID := int64(100), false
	for i := 6; i < len(c.args); i++ {
		switch word := upper(c.args[i]); {
		case word == "JUSTID":
			justID = true
		case word == "COUNT" && i+1 < len(c.args):
			i++
			if count, ok = parseInteger(c.args[i]); !ok || count < 1 || count > math.MaxInt64/16 {
				return errorReply("ERR COUNT must be > 0")
			}
		default:
			return errorReply(msgSyntax)
		}
	}
	s, g, bad := e.groupOf(c.args[1], c.args[2])
	switch {
	case isError(bad):
		return bad
	case g == nil:
		return noGroup(c.args[1], c.args[2])
	}
	o := autoClaim{consumer: c.args[3], start: start, count: count, least: least, now: e.last.UnixMilli(), justID: justID}
	return o.run(s, g)
}

// autoClaim is what XAUTOCLAIM was asked.
type autoClaim struct {
	consumer          string
	start             entryID
	count, least, now int64
	justID            bool
}

// run walks over at most ten times count pending entries.
func (o autoClaim) run(s *stream, g *streamGroup) Reply {
	entries, deleted := array(), array()
	i, count := g.from(o.start), o.count
	who := g.consumers[o.consumer]
	if who != nil {
		who.seen = o.now
	}
	for attempts := count * 10; attempts > 0 && count > 0 && i < len(g.pending); attempts-- {
		d := g.pending[i]
		en, exists := s.entry(d.id)
		if !exists {
			g.ack(d.id)
			deleted.Array = append(deleted.Array, bulk(d.id.String()))
			count--
			continue
		}
		i++
		if o.least > 0 && o.now-d.at < o.least {
			continue
		}
		if who == nil {
			who = g.member(o.consumer, o.now) // made by its first entry only
		}
		d.consumer, d.at, who.active = who, o.now, o.now
		if !o.justID {
			d.count++
		}
		entries.Array = append(entries.Array, claimed(en, o.justID))
		count--
	}
	next := entryID{}
	if i < len(g.pending) {
		next = g.pending[i].id
	}
	return array(bulk(next.String()), entries, deleted)
}
