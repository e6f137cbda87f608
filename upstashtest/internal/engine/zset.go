package engine

import (
	"math"
	"strconv"
)

func zsetCommands() map[string]handler {
	return map[string]handler{
		"ZDIFF": cmdZDiff, "ZDIFFSTORE": cmdZDiffStore, "ZINTERCARD": cmdZInterCard,
		"ZRANGESTORE": cmdZRangeStore, "ZINCRBY": cmdZIncrBy, "ZRANGE": cmdZRange,
	}
}

// sourceKeys reads "numkeys key ..." and returns the keys and what follows.
func sourceKeys(name string, words []string) (keys, rest []string, bad Reply) {
	n, err := strconv.Atoi(words[0])
	switch {
	case err != nil:
		return nil, nil, errorReply(msgNotInt)
	case n < 1:
		return nil, nil, errorf("ERR at least 1 input key is needed for '%s' command", name)
	case n > len(words)-1:
		return nil, nil, errorReply(msgSyntax)
	}
	return words[1 : 1+n], words[1+n:], nilReply
}

// member is an element of a sorted set; its score stays as text.
type member struct{ name, score string }

// members reads a sorted set, or a set with scores of 1, in order.
func (e *Engine) members(key string) ([]member, Reply) {
	var r Reply
	set := e.typeOf(key) == "set"
	if set {
		r = e.raw("SMEMBERS", key)
	} else {
		r = e.raw("ZRANGE", key, "0", "-1", "WITHSCORES")
	}
	if isError(r) {
		return nil, r
	}
	var ms []member
	if set {
		for _, name := range texts(r) {
			ms = append(ms, member{name, "1"})
		}
		return ms, nilReply
	}
	words := texts(r)
	for i := 0; i+1 < len(words); i += 2 {
		ms = append(ms, member{words[i], words[i+1]})
	}
	return ms, nilReply
}

func (e *Engine) zdiff(keys []string) ([]member, Reply) {
	first, bad := e.members(keys[0])
	if isError(bad) {
		return nil, bad
	}
	drop := map[string]bool{}
	for _, key := range keys[1:] {
		ms, bad := e.members(key)
		if isError(bad) {
			return nil, bad
		}
		for _, m := range ms {
			drop[m.name] = true
		}
	}
	var left []member
	for _, m := range first {
		if !drop[m.name] {
			left = append(left, m)
		}
	}
	return left, nilReply
}

func cmdZDiff(e *Engine, c *call) Reply {
	keys, rest, bad := sourceKeys("zdiff", c.args[1:])
	if isError(bad) {
		return bad
	}
	scores := len(rest) == 1 && upper(rest[0]) == "WITHSCORES"
	if len(rest) > 0 && !scores {
		return errorReply(msgSyntax)
	}
	ms, bad := e.zdiff(keys)
	if isError(bad) {
		return bad
	}
	r := array()
	for _, m := range ms {
		r.Array = append(r.Array, bulk(m.name))
		if scores {
			r.Array = append(r.Array, bulk(m.score))
		}
	}
	return r
}

func cmdZDiffStore(e *Engine, c *call) Reply {
	keys, rest, bad := sourceKeys("zdiffstore", c.args[2:])
	if isError(bad) {
		return bad
	}
	if len(rest) > 0 {
		return errorReply(msgSyntax)
	}
	ms, bad := e.zdiff(keys)
	if isError(bad) {
		return bad
	}
	return e.storeMembers(c.args[1], ms)
}

// storeMembers makes key a sorted set of exactly these.
func (e *Engine) storeMembers(key string, ms []member) Reply {
	e.raw("DEL", key)
	for _, m := range ms {
		e.raw("ZADD", key, m.score, m.name)
	}
	return intReply(int64(len(ms)))
}

func cmdZInterCard(e *Engine, c *call) Reply {
	keys, rest, bad := sourceKeys("zintercard", c.args[1:])
	if isError(bad) {
		return bad
	}
	limit := int64(math.MaxInt64)
	if len(rest) > 0 {
		if len(rest) != 2 || upper(rest[0]) != "LIMIT" {
			return errorReply(msgSyntax)
		}
		n, err := strconv.ParseInt(rest[1], 10, 64)
		if err != nil {
			return errorReply("ERR LIMIT can't be negative")
		}
		if n < 0 {
			return errorReply("ERR LIMIT can't be negative")
		}
		if n > 0 {
			limit = n
		}
	}
	seen := map[string]int{}
	for i, key := range keys {
		ms, bad := e.members(key)
		if isError(bad) {
			return bad
		}
		for _, m := range ms {
			if seen[m.name] == i {
				seen[m.name]++
			}
		}
	}
	n := int64(0)
	for _, times := range seen {
		if times == len(keys) {
			n++
		}
	}
	return intReply(min(n, limit))
}

// cmdZRangeStore is ZRANGE with the answer put into a key.
func cmdZRangeStore(e *Engine, c *call) Reply {
	for _, word := range c.args[5:] {
		if upper(word) == "WITHSCORES" {
			return errorReply(msgSyntax)
		}
	}
	r := e.raw(append([]string{"ZRANGE"}, c.args[2:]...)...)
	if isError(r) {
		return r
	}
	var ms []member
	for _, name := range texts(r) {
		ms = append(ms, member{name, text(e.raw("ZSCORE", c.args[2], name))})
	}
	return e.storeMembers(c.args[1], ms)
}

// cmdZRange allows LIMIT without BYSCORE or BYLEX, as Upstash does.
func cmdZRange(e *Engine, c *call) Reply {
	limit := -1
	for i, word := range c.args[4:] {
		switch upper(word) {
		case "BYSCORE", "BYLEX":
			return e.raw(c.args...)
		case "LIMIT":
			limit = i + 4
		}
	}
	if limit < 0 || limit+2 >= len(c.args) {
		return e.raw(c.args...)
	}
	skip, err1 := strconv.Atoi(c.args[limit+1])
	count, err2 := strconv.Atoi(c.args[limit+2])
	if err1 != nil || err2 != nil || skip < 0 {
		return errorReply(msgNotInt)
	}
	args := append(append([]string{}, c.args[:limit]...), c.args[limit+3:]...)
	r := e.raw(args...)
	if isError(r) {
		return r
	}
	width := 1
	for _, word := range args[4:] {
		if upper(word) == "WITHSCORES" {
			width = 2
		}
	}
	r.Array = r.Array[min(skip*width, len(r.Array)):]
	if count >= 0 {
		r.Array = r.Array[:min(count*width, len(r.Array))]
	}
	return r
}

func cmdZIncrBy(e *Engine, c *call) Reply {
	by, err := strconv.ParseFloat(c.args[2], 64)
	if err == nil && math.IsInf(by, 0) {
		old, err := strconv.ParseFloat(text(e.raw("ZSCORE", c.args[1], c.args[3])), 64)
		if err == nil && math.IsInf(old, 0) && old != by {
			return errorReply("ERR resulting score is not a number (NaN)")
		}
	}
	return e.raw(c.args...)
}
