package engine

import (
	"slices"
	"sort"
	"strings"
)

// bounds are what a range goes by: ranks, scores or names.
type bounds struct {
	by         string // "", BYSCORE or BYLEX
	start, end int64
	low, high  scoreBound
	from, to   lexBound
}

type scoreBound struct {
	score float64
	open  bool // the score itself is outside
}

func parseScoreBound(s string) (scoreBound, bool) {
	rest, open := strings.CutPrefix(s, "(")
	if rest == "" {
		return scoreBound{0, open}, true // as strtod reads nothing
	}
	f, ok := parseFloat(strings.TrimLeft(rest, " \t\n\v\f\r"))
	return scoreBound{f, open}, ok
}

type lexBound struct {
	name string
	open bool
	edge int // -1 below all names, 1 above all
}

func parseLexBound(s string) (lexBound, bool) {
	switch {
	case s == "-":
		return lexBound{edge: -1}, true
	case s == "+":
		return lexBound{edge: 1}, true
	case strings.HasPrefix(s, "("), strings.HasPrefix(s, "["):
		return lexBound{name: s[1:], open: s[0] == '('}, true
	}
	return lexBound{}, false
}

func parseBounds(by, low, high string) (b bounds, bad Reply) {
	var ok1, ok2 bool
	switch b.by = by; by {
	case "BYSCORE":
		b.low, ok1 = parseScoreBound(low)
		b.high, ok2 = parseScoreBound(high)
		bad = errorReply("ERR min or max is not a float")
	case "BYLEX":
		b.from, ok1 = parseLexBound(low)
		b.to, ok2 = parseLexBound(high)
		bad = errorReply("ERR min or max not valid string range item")
	default:
		b.start, ok1 = parseInteger(low)
		b.end, ok2 = parseInteger(high)
		bad = errorReply(msgNotInt)
	}
	if ok1 && ok2 {
		return b, nilReply
	}
	return b, bad
}

// in returns the indexes of the members inside, first and past the last.
// Ranks count from the other end if reverse is set.
func (b bounds) in(z *zset, reverse bool) (int, int) {
	n := len(z.order)
	var from, to int
	switch b.by {
	case "BYSCORE":
		from = sort.Search(n, func(i int) bool {
			s := z.order[i].score
			return s > b.low.score || s == b.low.score && !b.low.open
		})
		to = sort.Search(n, func(i int) bool {
			s := z.order[i].score
			return s > b.high.score || s == b.high.score && b.high.open
		})
	case "BYLEX":
		return b.inNames(z, reverse, 0)
	default:
		from, to = rankSpan(b.start, b.end, n)
		if reverse {
			from, to = n-to, n-from
		}
	}
	return from, max(from, to)
}

// inNames is in for names, without the first skip of them. Redis promises
// nothing where the scores differ; what it does then, in small sets, is done here:
// walk from the side where the range begins to the first member that fits, pass
// over skip members, and on while they fit.
func (b bounds) inNames(z *zset, reverse bool, skip int) (int, int) {
	n := len(z.order)
	after := func(i int) bool { return !b.from.above(z.order[i].name, b.from.open) }
	before := func(i int) bool { return b.to.above(z.order[i].name, !b.to.open) }
	if n == 0 || !after(n-1) || !before(0) {
		return 0, 0
	}
	begun, inside := after, before
	if reverse { // counted from the end
		begun = func(i int) bool { return before(n - 1 - i) }
		inside = func(i int) bool { return after(n - 1 - i) }
	}
	first := firstWhere(0, n, begun)
	if first == n || !inside(first) {
		return 0, 0
	}
	first = min(first+skip, n)
	past := firstWhere(first, n, func(i int) bool { return !inside(i) })
	if reverse {
		return n - past, n - first
	}
	return first, past
}

// smallSet is up to where Redis walks through a set; larger ones it searches.
const smallSet = 128

// firstWhere is the first index from start on that fits, n if there is none.
func firstWhere(start, n int, fits func(int) bool) int {
	if n > smallSet {
		return max(start, sort.Search(n, fits))
	}
	for start < n && !fits(start) {
		start++
	}
	return start
}

// above reports whether the bound lies above name; equal says what holds where
// the two are the same.
func (b lexBound) above(name string, equal bool) bool {
	switch {
	case b.edge != 0:
		return b.edge > 0
	case b.name == name:
		return equal
	}
	return b.name > name
}

// rankSpan turns the ends of a range as LRANGE has them into indexes.
func rankSpan(start, end int64, size int) (int, int) {
	n := int64(size)
	if start < 0 {
		start = max(start+n, 0)
	}
	if end < 0 {
		end += n
	}
	end = min(end, n-1)
	if start > end || start >= n {
		return 0, 0
	}
	return int(start), int(end + 1)
}

// rangeArgs is what a command of the ZRANGE family was asked.
type rangeArgs struct {
	bounds
	reverse, scores bool
	limited         bool
	skip, count     int64
}

// kindOfRange says what a command's name fixes: BYSCORE or BYLEX, or nothing,
// and whether its words may.
func kindOfRange(name string) (by string, free bool) {
	if i := strings.Index(name, "BY"); i > 0 {
		return name[i:], false
	}
	return "", name == "ZRANGE" || name == "ZRANGESTORE"
}

func parseRange(name string, list []string, storing bool) (rangeArgs, Reply) {
	r := rangeArgs{count: -1, reverse: strings.HasPrefix(name, "ZREV")}
	by, free := kindOfRange(name)
	for i := 2; i < len(list); i++ {
		switch word := upper(list[i]); {
		case word == "WITHSCORES" && !storing:
			r.scores = true
		case word == "LIMIT" && i+2 < len(list):
			if bad := r.limitTo(list[i+1], list[i+2]); isError(bad) {
				return r, bad
			}
			i += 2
		case free && word == "REV" && !r.reverse:
			r.reverse = true
		case free && by == "" && slices.Contains([]string{"BYSCORE", "BYLEX"}, word):
			by = word
		default:
			return r, errorReply(msgSyntax)
		}
	}
	if bad := r.check(by, free); isError(bad) {
		return r, bad
	}
	var bad Reply
	r.bounds, bad = r.between(by, list[0], list[1])
	return r, bad
}

// between reads the bounds, which stand the other way round where scores or
// words are counted from the end.
func (r *rangeArgs) between(by, low, high string) (bounds, Reply) {
	if r.reverse && by != "" {
		low, high = high, low
	}
	return parseBounds(by, low, high)
}

func (r *rangeArgs) limitTo(skip, count string) (bad Reply) {
	if r.skip, bad = wholeNumber(skip); isError(bad) {
		return bad
	}
	r.limited = true
	r.count, bad = wholeNumber(count)
	return bad
}

// check refuses what cannot be together. Upstash takes LIMIT for ranks too;
// Redis does for ZRANGE only with BYSCORE and BYLEX.
func (r *rangeArgs) check(by string, free bool) Reply {
	switch {
	case r.limited && r.count != -1 && by == "" && !free:
		return errorReply("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
	case r.scores && by == "BYLEX":
		return errorReply("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
	}
	return nilReply
}

// members returns what the range holds, in the order that was asked for.
func (r rangeArgs) members(z *zset) []member {
	skip := 0
	if r.limited {
		if r.skip < 0 || r.skip > int64(len(z.order)) {
			return nil
		}
		skip = int(r.skip)
	}
	var from, to int
	if r.by == "BYLEX" {
		from, to = r.inNames(z, r.reverse, skip)
		skip = 0
	} else {
		from, to = r.in(z, r.reverse)
	}
	found := z.order[from:to]
	if r.reverse {
		found = slices.Clone(found)
		slices.Reverse(found)
	}
	found = found[min(skip, len(found)):]
	if r.limited && r.count >= 0 {
		found = found[:min(r.count, int64(len(found)))]
	}
	return found
}

// cmdZRange is ZRANGE and all that it replaced, and ZRANGESTORE.
func cmdZRange(e *Engine, c *call) Reply {
	storing := c.info.Name == "ZRANGESTORE"
	list := c.args[1:]
	if storing {
		list = list[1:]
	}
	r, bad := parseRange(c.info.Name, list[1:], storing)
	if isError(bad) {
		return bad
	}
	z, bad := e.zset(list[0])
	if isError(bad) {
		return bad
	}
	var found []member
	if z != nil {
		found = r.members(z)
	}
	if storing {
		return e.storeMembers(c.args[1], found)
	}
	return bulks(memberTexts(found, r.scores))
}

// storeMembers makes key a sorted set of exactly these, or nothing.
func (e *Engine) storeMembers(key string, ms []member) Reply {
	z := newZset()
	for i, m := range ms {
		ms[i].score += 0 // a stored zero has no sign
		z.scores[m.name] = ms[i].score
	}
	z.order = slices.SortedFunc(slices.Values(ms), member.compare)
	e.remove(key)
	if len(ms) > 0 {
		e.setNative(key, z)
	}
	return intReply(int64(len(ms)))
}

// boundsOf is the range of ZCOUNT, ZLEXCOUNT and the ZREMRANGE family.
func boundsOf(c *call) (bounds, Reply) {
	by := "BYSCORE"
	switch c.info.Name {
	case "ZLEXCOUNT", "ZREMRANGEBYLEX":
		by = "BYLEX"
	case "ZREMRANGEBYRANK":
		by = ""
	}
	return parseBounds(by, c.args[2], c.args[3])
}

func cmdZCount(e *Engine, c *call) Reply {
	b, bad := boundsOf(c)
	if isError(bad) {
		return bad
	}
	z, bad := e.zset(c.args[1])
	if z == nil {
		return orZero(bad)
	}
	from, to := b.in(z, false)
	return intReply(int64(to - from))
}

func cmdZRemRange(e *Engine, c *call) Reply {
	b, bad := boundsOf(c)
	if isError(bad) {
		return bad
	}
	z, bad := e.zset(c.args[1])
	if z == nil {
		return orZero(bad)
	}
	from, to := b.in(z, false)
	z.cut(from, to)
	e.dropEmpty(c.args[1], z)
	return intReply(int64(to - from))
}
