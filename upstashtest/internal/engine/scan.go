package engine

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

func scanCommands() map[string]handler {
	return map[string]handler{"SCAN": cmdScan, "HSCAN": cmdScanKey, "SSCAN": cmdScanKey, "ZSCAN": cmdScanKey}
}

// scanOptions are the words after the cursor.
type scanOptions struct {
	cursor   uint64
	match    string
	count    int
	kind     string
	noValues bool
	withType bool // Upstash's own: each key is followed by its type
}

// positive reads COUNT's number.
func (w *words) positive() int {
	n, err := strictAtoi(w.take(1)[0])
	switch {
	case isError(w.bad):
	case err != nil:
		w.bad = errorReply(msgNotInt)
	case n < 1:
		w.bad = errorReply(msgSyntax)
	}
	return n
}

func parseScan(name string, list []string) (scanOptions, Reply) {
	o := scanOptions{match: "*", count: 10}
	if name == "SCAN" {
		o.count = 1000 // about what Upstash gives over REST: a small database is one page
	}
	var err error
	if o.cursor, err = strconv.ParseUint(list[0], 10, 64); err != nil {
		return o, errorReply("ERR invalid cursor")
	}
	w := &words{list: list[1:]}
	for len(w.list) > 0 {
		switch word := upper(w.take(1)[0]); {
		case word == "MATCH":
			o.match = w.take(1)[0]
		case word == "COUNT":
			o.count = w.positive()
		case word == "TYPE" && name == "SCAN":
			o.kind = lower(w.take(1)[0])
		case word == "WITHTYPE" && name == "SCAN":
			o.withType = true
		case word == "NOVALUES" && name == "HSCAN":
			o.noValues = true
		default:
			w.bad = errorReply(msgSyntax)
		}
		if isError(w.bad) {
			return o, w.bad
		}
	}
	return o, nilReply
}

func (e *Engine) slots(names []string) []slot {
	slots := make([]slot, len(names))
	for i, name := range names {
		slots[i] = slot{max(xxh3([]byte(name))^e.cfg.Seed, 1), name}
	}
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.name, b.name))
	})
	return slots
}

// page returns the slots after the cursor, about count of them, and the next
// cursor: 0 when nothing is left.
func page(slots []slot, o scanOptions) ([]slot, uint64) {
	if o.cursor == math.MaxUint64 {
		return nil, 0
	}
	from, _ := slices.BinarySearchFunc(slots, o.cursor+1, func(s slot, at uint64) int { return cmp.Compare(s.at, at) })
	if o.cursor == 0 {
		from = 0
	}
	to := from + min(o.count, len(slots)-from)
	for to > 0 && to < len(slots) && slots[to].at == slots[to-1].at {
		to++ // names of one hash must not be torn apart
	}
	if to == len(slots) {
		return slots[from:], 0
	}
	return slots[from:to], slots[to-1].at
}

func cmdScan(e *Engine, c *call) Reply {
	o, bad := parseScan("SCAN", c.args[1:])
	if isError(bad) {
		return bad
	}
	// Later pages take the list of the first: sorting all keys for each page
	// would make a scan quadratic. Keys that came since need not be shown,
	// those that went are left out below.
	if o.cursor == 0 || e.scanned == nil {
		e.scanned = e.slots(texts(e.raw("KEYS", "*")))
	}
	slots, next := page(e.scanned, o)
	names := []string{}
	for _, s := range slots {
		if !Match(o.match, s.name) {
			continue
		}
		t := e.typeOf(s.name)
		if t == "none" || o.kind != "" && lower(t) != o.kind {
			continue
		}
		if names = append(names, s.name); o.withType {
			names = append(names, t)
		}
	}
	return array(bulk(strconv.FormatUint(next, 10)), bulks(names))
}

// cmdScanKey is HSCAN, SSCAN and ZSCAN.
func cmdScanKey(e *Engine, c *call) Reply {
	o, bad := parseScan(c.info.Name, c.args[2:])
	if isError(bad) {
		return bad
	}
	read := map[string][]string{
		"HSCAN": {"HGETALL", c.args[1]}, "SSCAN": {"SMEMBERS", c.args[1]}, "ZSCAN": {"ZRANGE", c.args[1], "0", "-1", "WITHSCORES"},
	}[c.info.Name]
	all := e.do(read...)
	if isError(all) {
		return all
	}
	list := texts(all)
	values := map[string]string{}
	if c.info.Name != "SSCAN" {
		var names []string
		for pair := range slices.Chunk(list, 2) {
			names = append(names, pair[0])
			values[pair[0]] = pair[1]
		}
		list = names
	}
	slots, next := page(e.slots(list), o)
	out := []string{}
	for _, s := range slots {
		if !Match(o.match, s.name) {
			continue
		}
		out = append(out, s.name)
		if c.info.Name != "SSCAN" && !o.noValues {
			out = append(out, values[s.name])
		}
	}
	return array(bulk(strconv.FormatUint(next, 10)), bulks(out))
}
