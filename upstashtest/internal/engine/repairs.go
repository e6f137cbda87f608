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
		"LMOVE": cmdLMove, "LPOS": cmdLPos,
		"INCRBYFLOAT": cmdIncrByFloat, "DECRBY": cmdDecrBy, "MSETNX": cmdMSetNX, "PFADD": cmdPFAdd,
	}
	for _, name := range []string{"SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"} {
		m[name] = cmdStore
	}
	return m
}

// cmdLPos asks for no more places than the list has: miniredis makes room for
// as many as are asked for.
func cmdLPos(e *Engine, c *call) Reply {
	args := slices.Clone(c.args)
	for i := 3; i+1 < len(args); i += 2 {
		n, err := strconv.ParseInt(args[i+1], 10, 64)
		if upper(args[i]) == "COUNT" && err == nil && n > e.raw("LLEN", c.args[1]).Int {
			args[i+1] = "0" // all
		}
	}
	return e.raw(args...)
}

func cmdLMove(e *Engine, c *call) Reply {
	for _, side := range c.args[3:5] {
		if s := upper(side); s != "LEFT" && s != "RIGHT" {
			return errorReply(msgSyntax)
		}
	}
	return e.raw(c.args...)
}

func cmdIncrByFloat(e *Engine, c *call) Reply {
	if f, err := strconv.ParseFloat(c.args[2], 64); err == nil && math.IsInf(f, 0) {
		return errorReply("ERR increment would produce NaN or Infinity")
	}
	return e.raw(c.args...)
}

func cmdDecrBy(e *Engine, c *call) Reply {
	if c.args[2] == strconv.FormatInt(math.MinInt64, 10) {
		return errorReply("ERR decrement would overflow")
	}
	return e.raw(c.args...)
}

func cmdMSetNX(e *Engine, c *call) Reply {
	if len(c.args)%2 == 0 {
		return wrongArity("MSETNX")
	}
	return e.raw(c.args...)
}

// cmdPFAdd makes an empty HyperLogLog when no element is given.
func cmdPFAdd(e *Engine, c *call) Reply {
	if len(c.args) > 2 {
		return e.raw(c.args...)
	}
	key := c.args[1]
	if e.typeOf(key) != "none" {
		if r := e.raw("PFCOUNT", key); isError(r) {
			return r
		}
		return intReply(0)
	}
	if r := e.raw("PFMERGE", key); isError(r) {
		return r
	}
	return intReply(1)
}

// cmdStore does not leave an empty set behind.
func cmdStore(e *Engine, c *call) Reply {
	r := e.raw(c.args...)
	if !isError(r) && r.Int == 0 {
		e.raw("DEL", c.args[1])
	}
	return r
}
