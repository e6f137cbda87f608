package engine

import (
	"math"
	"slices"
	"strconv"
)

// repairCommands are those that miniredis has, with one thing that Redis does
// otherwise: found by running the script of commands on both.
func repairCommands() map[string]handler {
	m := map[string]handler{
		"LMOVE": cmdLMove, "RPOPLPUSH": cmdRPopLPush, "LPOS": cmdLPos,
		"INCRBYFLOAT": cmdIncrByFloat, "MSETNX": cmdMSetNX,
		"INCR": cmdIncr, "DECR": cmdIncr, "INCRBY": cmdIncr, "DECRBY": cmdIncr, "LSET": cmdLSet, "LINDEX": cmdLIndex,
		"LMPOP": cmdLMPop, "LREM": cmdLRem, "SMOVE": cmdSMove,
	}
	for _, name := range []string{"SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"} {
		m[name] = cmdStore
	}
	return m
}

// placing is what LPOS was asked.
type placing struct {
	rank, most, look int64 // most: places at most, 0 all; look: elements to compare
	counted          bool
}

func parsePlacing(list []string) (o placing, bad Reply) {
	o.rank, o.most = 1, 1
	for i := 0; i < len(list); i += 2 {
		word := upper(list[i])
		if i+1 == len(list) || word != "RANK" && word != "COUNT" && word != "MAXLEN" {
			return o, errorReply(msgSyntax)
		}
		n, ok := parseInteger(list[i+1])
		switch {
		case word == "RANK":
			if bad := checkPlaceRank(n, ok); isError(bad) {
				return o, bad
			}
			o.rank = n
		case !ok || n < 0:
			return o, errorf("ERR %s can't be negative", word)
		case word == "COUNT":
			o.most, o.counted = n, true
		default:
			o.look = n
		}
	}
	return o, nilReply
}

func checkPlaceRank(rank int64, whole bool) Reply {
	switch {
	case !whole:
		return errorReply(msgNotInt)
	case rank == 0:
		return errorReply("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list")
	case rank == math.MinInt64:
		return errorReply("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
	}
	return nilReply
}

func cmdLPos(e *Engine, c *call) Reply {
	o, bad := parsePlacing(c.args[3:])
	if isError(bad) {
		return bad
	}
	list := e.raw("LRANGE", c.args[1], "0", "-1")
	if isError(list) {
		return list
	}
	found := o.places(texts(list), c.args[2])
	switch {
	case o.counted:
		return array(found...)
	case len(found) == 0:
		return nilReply
	}
	return found[0]
}

func (o placing) places(list []string, want string) []Reply {
	found, skip := []Reply{}, max(o.rank, -o.rank, 1)-1 // the lowest number cannot be negated, and skips none
	for i := range list {
		if o.look > 0 && int64(i) >= o.look {
			break
		}
		at := i
		if o.rank < 0 {
			at = len(list) - 1 - i
		}
		if list[at] != want {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if found = append(found, intReply(int64(at))); o.most > 0 && int64(len(found)) == o.most {
			break
		}
	}
	return found
}

// ofList refuses a key that is no list. exists is false if there is none.
func (e *Engine) ofList(key string) (exists bool, bad Reply) {
	switch e.typeOf(key) {
	case "list":
		return true, nilReply
	case "none":
		return false, nilReply
	}
	return false, errorReply(msgWrongType)
}

func cmdLIndex(e *Engine, c *call) Reply {
	exists, bad := e.ofList(c.args[1])
	if !exists {
		return bad
	}
	if _, bad := wholeNumber(c.args[2]); isError(bad) {
		return bad
	}
	return e.raw(c.args...)
}

func cmdLSet(e *Engine, c *call) Reply {
	exists, bad := e.ofList(c.args[1])
	switch {
	case isError(bad):
		return bad
	case !exists:
		return errorReply(msgNoKey)
	}
	if _, bad := wholeNumber(c.args[2]); isError(bad) {
		return bad
	}
	return e.raw(c.args...)
}

// cmdLRem keeps the lowest number from turning around when it is negated.
func cmdLRem(e *Engine, c *call) Reply {
	args := slices.Clone(c.args)
	if args[2] == itoa(math.MinInt64) {
		args[2] = itoa(-math.MaxInt64)
	}
	return e.plain(&call{ctx: c.ctx, args: args, info: c.info})
}

func cmdLMPop(e *Engine, c *call) Reply {
	if _, _, _, bad := popArgs(c.args[1:], "LEFT", "RIGHT"); isError(bad) {
		return bad
	}
	return e.raw(c.args...)
}

func cmdLMove(e *Engine, c *call) Reply {
	for _, side := range c.args[3:5] {
		if s := upper(side); s != "LEFT" && s != "RIGHT" {
			return errorReply(msgSyntax)
		}
	}
	return e.rotate(c)
}

func cmdRPopLPush(e *Engine, c *call) Reply {
	if len(c.args) != 3 {
		return wrongArity("RPOPLPUSH")
	}
	return e.rotate(c)
}

// rotate moves an element. A list of one element that is moved onto itself keeps
// its time to live; miniredis removes the emptied list and makes another.
func (e *Engine) rotate(c *call) Reply {
	if c.args[1] != c.args[2] {
		return e.plain(c)
	}
	left := e.raw("PTTL", c.args[1])
	r := e.plain(c)
	if left.Int > 0 && !isError(r) {
		e.raw("PEXPIRE", c.args[1], strconv.FormatInt(left.Int, 10))
	}
	return r
}

func cmdMSetNX(e *Engine, c *call) Reply {
	if len(c.args)%2 == 0 {
		return wrongArity("MSETNX")
	}
	return e.plain(c)
}

// cmdStore does not leave an empty set behind.
func cmdStore(e *Engine, c *call) Reply {
	r := e.plain(c)
	if !isError(r) && r.Int == 0 {
		e.raw("DEL", c.args[1])
	}
	return r
}

// cmdSMove leaves a set alone from which a member moves to itself: the set keeps
// its lifetime.
func cmdSMove(e *Engine, c *call) Reply {
	if c.args[1] == c.args[2] {
		return e.raw("SISMEMBER", c.args[1], c.args[3])
	}
	return e.plain(c)
}
