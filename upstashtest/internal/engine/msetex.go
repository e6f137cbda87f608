package engine

import (
	"slices"
	"strings"
)

// groupCommands are those of Redis 8 that work on many keys at once.
func groupCommands() map[string]handler {
	return map[string]handler{"MSETEX": cmdMSetEX, "SINTERCARD": cmdSetCard, "SDIFFCARD": cmdSetCard, "SUNIONCARD": cmdSetCard}
}

// cmdMSetEX sets all pairs or, if NX or XX does not hold for all of them, none.
func cmdMSetEX(e *Engine, c *call) Reply {
	n, err := strictAtoi(c.args[1])
	if err != nil || n < 1 {
		return errorReply("ERR invalid numkeys value")
	}
	if n > (len(c.args)-2)/2 {
		return errorReply("ERR wrong number of key-value pairs")
	}
	pairs := c.args[2 : 2+2*n]
	o, bad := parseSet(c.args[2+2*n:])
	switch {
	case isError(bad):
		return bad
	case o.get || o.when != "":
		return errorReply(msgSyntax)
	}
	if bad := e.absolute("msetex", o.expire); isError(bad) {
		return bad
	}
	for i := 0; (o.nx || o.xx) && i < len(pairs); i += 2 {
		if (e.raw("EXISTS", pairs[i]).Int == 1) != o.xx {
			return intReply(0)
		}
	}
	var options []string
	if o.keep {
		options = []string{"KEEPTTL"}
	}
	options = append(options, o.expire...)
	for pair := range slices.Chunk(pairs, 2) {
		e.raw(append([]string{"SET", pair[0], pair[1]}, options...)...)
	}
	return intReply(1)
}

// cmdSetCard counts an intersection, a difference or a union. With APPROX Upstash estimates by
// a HyperLogLog; the exact number is an estimate too, and the best one.
func cmdSetCard(e *Engine, c *call) Reply {
	n, err := strictAtoi(c.args[1])
	switch {
	case err != nil || n < 1:
		return errorReply("ERR numkeys should be greater than 0")
	case n > len(c.args)-2:
		return errorReply("ERR Number of keys can't be greater than number of args")
	}
	limit := 0
	for w := c.args[2+n:]; len(w) > 0; w = w[1:] {
		switch {
		case upper(w[0]) == "APPROX" && c.info.Name == "SUNIONCARD":
		case upper(w[0]) == "LIMIT" && len(w) > 1:
			if limit, err = strictAtoi(w[1]); err != nil || limit < 0 {
				return errorReply("ERR LIMIT can't be negative")
			}
			w = w[1:]
		default:
			return errorReply(msgSyntax)
		}
	}
	of := strings.TrimSuffix(c.info.Name, "CARD")
	r := e.raw(append([]string{of}, c.args[2:2+n]...)...)
	if isError(r) {
		return r
	}
	if size := len(r.Array); limit == 0 || size < limit {
		limit = size
	}
	return intReply(int64(limit))
}
