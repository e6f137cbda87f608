package engine

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// member is an element of a sorted set.
type member struct {
	name  string
	score float64
}

func (m member) compare(o member) int {
	return cmp.Or(cmp.Compare(m.score, o.score), strings.Compare(m.name, o.name))
}

// zset is a sorted set. miniredis has them, but sorts anew for each range.
type zset struct {
	scores map[string]float64
	order  []member
}

func newZset() *zset { return &zset{scores: map[string]float64{}} }

func (z *zset) kind() string { return "zset" }

func (z *zset) clone() native {
	o := newZset()
	o.order = slices.Clone(z.order)
	for _, m := range z.order {
		o.scores[m.name] = m.score
	}
	return o
}

func (z *zset) parts() []string { return memberTexts(z.order, true) }

func (z *zset) dump() []string { return z.parts() }

func undumpZset(parts []string) (native, bool) {
	z := newZset()
	for pair := range slices.Chunk(parts, 2) {
		if len(pair) != 2 {
			return nil, false
		}
		score, ok := parseFloat(pair[1])
		if !ok {
			return nil, false
		}
		z.set(pair[0], score)
	}
	return z, len(z.order) > 0
}

// place is the index of a member that is there.
func (z *zset) place(m member) int {
	i, _ := slices.BinarySearchFunc(z.order, m, member.compare)
	return i
}

func (z *zset) set(name string, score float64) {
	score += 0 // a stored zero has no sign
	if old, ok := z.scores[name]; ok {
		if old == score {
			return
		}
		z.remove(name)
	}
	z.scores[name] = score
	m := member{name, score}
	z.order = slices.Insert(z.order, z.place(m), m)
}

func (z *zset) remove(name string) bool {
	score, ok := z.scores[name]
	if !ok {
		return false
	}
	i := z.place(member{name, score})
	z.order = slices.Delete(z.order, i, i+1)
	delete(z.scores, name)
	return true
}

// cut takes out the members from index from up to to.
func (z *zset) cut(from, to int) {
	for _, m := range z.order[from:to] {
		delete(z.scores, m.name)
	}
	z.order = slices.Delete(z.order, from, to)
}

// formatScore prints a score: whole numbers plainly, others in the shortest
// form that reads back, as Redis 8 does.
func formatScore(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0 && math.Signbit(f):
		return "-0"
	case f == math.Trunc(f) && math.Abs(f) < 1<<52:
		return strconv.FormatInt(int64(f), 10)
	}
	short := strconv.FormatFloat(f, 'e', -1, 64)
	_, exponent, _ := strings.Cut(short, "e")
	if n, err := strconv.Atoi(exponent); err == nil && n >= -4 && n < 17 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return short
}

// memberTexts lists names, with the score behind each if asked for.
func memberTexts(ms []member, scores bool) []string {
	out := []string{}
	for _, m := range ms {
		if out = append(out, m.name); scores {
			out = append(out, formatScore(m.score))
		}
	}
	return out
}

// zset returns the sorted set at key, nil if there is none.
func (e *Engine) zset(key string) (*zset, Reply) {
	if z, ok := e.natives[key].(*zset); ok {
		return z, nilReply
	}
	if e.exists(key) {
		return nil, errorReply(msgWrongType)
	}
	return nil, nilReply
}

// dropEmpty removes a key whose sorted set has lost its last member.
func (e *Engine) dropEmpty(key string, z *zset) {
	if len(z.order) == 0 {
		e.remove(key)
	}
}

// zaddOptions are the words between the key and the first score.
type zaddOptions struct{ nx, xx, gt, lt, ch, incr bool }

func parseZAdd(list []string) (o zaddOptions, rest []string) {
	flags := map[string]*bool{"NX": &o.nx, "XX": &o.xx, "GT": &o.gt, "LT": &o.lt, "CH": &o.ch, "INCR": &o.incr}
	for len(list) > 0 {
		flag := flags[upper(list[0])]
		if flag == nil {
			break
		}
		*flag, list = true, list[1:]
	}
	return o, list
}

func (o zaddOptions) check(words int) Reply {
	switch {
	case words == 0 || words%2 == 1:
		return errorReply(msgSyntax)
	case o.nx && o.xx:
		return errorReply("ERR XX and NX options at the same time are not compatible")
	case o.gt && o.nx || o.lt && o.nx || o.gt && o.lt:
		return errorReply("ERR GT, LT, and/or NX options at the same time are not compatible")
	case o.incr && words > 2:
		return errorReply("ERR INCR option supports a single increment-element pair")
	}
	return nilReply
}

// cmdZAdd is ZADD and ZINCRBY. All scores are read before anything changes.
func cmdZAdd(e *Engine, c *call) Reply {
	key := c.args[1]
	o, words := zaddOptions{incr: true}, c.args[2:]
	if c.info.Name == "ZADD" {
		o, words = parseZAdd(c.args[2:])
	}
	if bad := o.check(len(words)); isError(bad) {
		return bad
	}
	add := make([]member, 0, len(words)/2)
	for pair := range slices.Chunk(words, 2) {
		score, ok := parseFloat(pair[0])
		if !ok {
			return errorReply(msgNotFloat)
		}
		add = append(add, member{pair[1], score})
	}
	z, bad := e.zset(key)
	if isError(bad) {
		return bad
	}
	if z == nil {
		if z = newZset(); o.xx {
			return o.none()
		}
	}
	if o.incr && !o.nx { // which does not add to what is there
		if sum := add[0].score + z.scores[add[0].name]; math.IsNaN(sum) {
			return errorReply("ERR resulting score is not a number (NaN)")
		}
	}
	if len(z.order) == 0 {
		e.setNative(key, z)
	}
	return o.apply(z, add)
}

// none is the reply when nothing could be done.
func (o zaddOptions) none() Reply {
	if o.incr {
		return nilReply
	}
	return intReply(0)
}

// allows checks NX, XX, LT and GT for one member.
func (o zaddOptions) allows(has bool, old, score float64) bool {
	if !has {
		return !o.xx
	}
	return !o.nx && !(o.lt && score >= old) && !(o.gt && score <= old)
}

func (o zaddOptions) apply(z *zset, add []member) Reply {
	added, changed := int64(0), int64(0)
	for _, m := range add {
		old, has := z.scores[m.name]
		if has && o.incr {
			m.score += old
		}
		if !o.allows(has, old, m.score) {
			continue
		}
		switch {
		case !has:
			added++
		case m.score != old:
			changed++
		}
		z.set(m.name, m.score)
		if o.incr {
			return bulk(formatScore(m.score))
		}
	}
	switch {
	case o.incr:
		return nilReply
	case o.ch:
		return intReply(added + changed)
	}
	return intReply(added)
}

func cmdZRem(e *Engine, c *call) Reply {
	z, bad := e.zset(c.args[1])
	if z == nil {
		return orZero(bad)
	}
	n := int64(0)
	for _, name := range c.args[2:] {
		if z.remove(name) {
			n++
		}
	}
	e.dropEmpty(c.args[1], z)
	return intReply(n)
}

func cmdZCard(e *Engine, c *call) Reply {
	z, bad := e.zset(c.args[1])
	if z == nil {
		return orZero(bad)
	}
	return intReply(int64(len(z.order)))
}

func (z *zset) score(name string) Reply {
	if z != nil {
		if f, ok := z.scores[name]; ok {
			return bulk(formatScore(f))
		}
	}
	return nilReply
}

func cmdZScore(e *Engine, c *call) Reply {
	z, bad := e.zset(c.args[1])
	if isError(bad) {
		return bad
	}
	return z.score(c.args[2])
}

func cmdZMScore(e *Engine, c *call) Reply {
	z, bad := e.zset(c.args[1])
	if isError(bad) {
		return bad
	}
	r := array()
	for _, name := range c.args[2:] {
		r.Array = append(r.Array, z.score(name))
	}
	return r
}

// cmdZRank is ZRANK and ZREVRANK.
func cmdZRank(e *Engine, c *call) Reply {
	scores := len(c.args) > 3
	if scores && (len(c.args) > 4 || upper(c.args[3]) != "WITHSCORE") {
		return errorReply(msgSyntax)
	}
	z, bad := e.zset(c.args[1])
	if isError(bad) {
		return bad
	}
	score := z.score(c.args[2])
	if isNil(score) {
		return nilReply
	}
	rank := z.place(member{c.args[2], z.scores[c.args[2]]})
	if c.info.Name == "ZREVRANK" {
		rank = len(z.order) - 1 - rank
	}
	if scores {
		return array(intReply(int64(rank)), score)
	}
	return intReply(int64(rank))
}
