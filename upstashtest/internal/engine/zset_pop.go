package engine

import (
	"math"
	"slices"
)

const msgNotPositive = "ERR value is out of range, must be positive"

// pop takes the n lowest or highest members out.
func (z *zset) pop(n int64, highest bool) []member {
	size := int64(len(z.order))
	n = min(n, size)
	from, to := int64(0), n
	if highest {
		from, to = size-n, size
	}
	out := slices.Clone(z.order[from:to])
	if highest {
		slices.Reverse(out)
	}
	z.cut(int(from), int(to))
	return out
}

func cmdZPop(e *Engine, c *call) Reply {
	n := int64(1)
	if len(c.args) > 3 {
		return errorReply(msgSyntax)
	}
	if len(c.args) == 3 {
		var ok bool
		if n, ok = parseInteger(c.args[2]); !ok || n < 0 {
			return errorReply(msgNotPositive)
		}
	}
	z, bad := e.zset(c.args[1])
	switch {
	case isError(bad):
		return bad
	case z == nil:
		return array()
	}
	out := z.pop(n, c.info.Name == "ZPOPMAX")
	e.dropEmpty(c.args[1], z)
	return bulks(memberTexts(out, true))
}

// popArgs are "numkeys key ... SIDE [COUNT n]", as ZMPOP and LMPOP have them.
func popArgs(list []string, sides ...string) (keys []string, side string, n int64, bad Reply) {
	num, ok := parseInteger(list[0])
	switch {
	case !ok || num < 1:
		return nil, "", 0, errorReply("ERR numkeys should be greater than 0")
	case num > int64(len(list)-2):
		return nil, "", 0, errorReply(msgSyntax)
	}
	keys, list = list[1:1+num], list[1+num:]
	if side = upper(list[0]); !slices.Contains(sides, side) {
		return nil, "", 0, errorReply(msgSyntax)
	}
	n = 1
	if len(list) > 2 && upper(list[1]) == "COUNT" {
		if n, ok = parseInteger(list[2]); !ok || n < 1 {
			return nil, "", 0, errorReply("ERR count should be greater than 0")
		}
		list = list[2:]
	}
	if len(list) > 1 {
		return nil, "", 0, errorReply(msgSyntax)
	}
	return keys, side, n, nilReply
}

func cmdZMPop(e *Engine, c *call) Reply {
	keys, side, n, bad := popArgs(c.args[1:], "MIN", "MAX")
	if isError(bad) {
		return bad
	}
	for _, key := range keys {
		z, bad := e.zset(key)
		if isError(bad) {
			return bad
		}
		if z == nil {
			continue
		}
		list := array()
		for _, m := range z.pop(n, side == "MAX") {
			list.Array = append(list.Array, array(bulk(m.name), bulk(formatScore(m.score))))
		}
		e.dropEmpty(key, z)
		return array(bulk(key), list)
	}
	return nilReply
}

func cmdZRandMember(e *Engine, c *call) Reply {
	n, scores, bad := randomArgs(c.args[2:], "WITHSCORES")
	if isError(bad) {
		return bad
	}
	z, bad := e.zset(c.args[1])
	switch {
	case isError(bad):
		return bad
	case len(c.args) == 2 && z == nil:
		return nilReply
	case len(c.args) == 2:
		return bulk(z.order[e.rnd.IntN(len(z.order))].name)
	case z == nil:
		return array()
	}
	var out []member
	for _, i := range e.drawIndexes(len(z.order), n) {
		out = append(out, z.order[i])
	}
	return bulks(memberTexts(out, scores))
}

// maxRandom bounds how many elements may be drawn with repetition: no reply
// that passes the request limit needs more.
const maxRandom = 1_000_000

// randomArgs are "[count [with]]" of ZRANDMEMBER and HRANDFIELD.
func randomArgs(list []string, with string) (n int64, full bool, bad Reply) {
	if len(list) == 0 {
		return 1, false, nilReply
	}
	if n, bad = wholeNumber(list[0]); isError(bad) {
		return 0, false, bad
	}
	if n == math.MinInt64 {
		return 0, false, errorReply("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
	}
	if full = len(list) > 1; len(list) > 2 || full && upper(list[1]) != with {
		return 0, false, errorReply(msgSyntax)
	}
	if full && (n > math.MaxInt64/2 || n < -math.MaxInt64/2) || n < -maxRandom {
		return 0, false, errorReply("ERR value is out of range")
	}
	return n, full, nilReply
}

// drawIndexes draws n different indexes below size, or -n that may be equal.
func (e *Engine) drawIndexes(size int, n int64) []int {
	if n >= 0 {
		return e.rnd.Perm(size)[:min(int64(size), n)]
	}
	out := make([]int, -n)
	for i := range out {
		out[i] = e.rnd.IntN(size)
	}
	return out
}
