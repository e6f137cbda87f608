package engine

import (
	"strings"
)

func genericCommands() map[string]handler {
	m := map[string]handler{
		"TTL": cmdTTL, "PTTL": cmdTTL, "EXPIRETIME": cmdTTL, "PEXPIRETIME": cmdTTL,
		"TYPE": cmdType, "UNLINK": cmdUnlink, "KEYS": cmdKeys,
		"COPY": cmdCopy, "RENAME": cmdRename, "RENAMENX": cmdRename,
	}
	for _, name := range []string{"EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"} {
		m[name] = cmdExpire
	}
	return m
}

// cmdTTL is what is left of a lifetime, or its end; seconds are rounded to the
// nearest.
func cmdTTL(e *Engine, c *call) Reply {
	key := c.args[1]
	at := e.deadline(key)
	switch {
	case !e.exists(key):
		return intReply(-2)
	case at == 0:
		return intReply(-1)
	}
	if strings.HasSuffix(c.info.Name, "TTL") {
		at -= e.last.UnixMilli()
	}
	if c.info.Name[0] != 'P' {
		at = (at + 500) / 1000
	}
	return intReply(at)
}

func cmdType(e *Engine, c *call) Reply { return status(e.typeOf(c.args[1])) }

// cmdUnlink accepts no keys at all, as Upstash does.
func cmdUnlink(e *Engine, c *call) Reply {
	if len(c.args) == 1 {
		return intReply(0)
	}
	return e.raw(append([]string{"DEL"}, c.args[1:]...)...)
}

// cmdCopy onto itself copies nothing; Redis calls that an error. The old value
// goes first: miniredis would keep its lifetime, and parts of it.
func cmdCopy(e *Engine, c *call) Reply {
	from, to, replace := c.args[1], c.args[2], false
	for i := 3; i < len(c.args); i++ {
		switch word := upper(c.args[i]); {
		case word == "REPLACE":
			replace = true
		case word == "DB" && i+1 < len(c.args):
			i++
			if n, bad := wholeNumber(c.args[i]); isError(bad) {
				return bad
			} else if n != 0 {
				return errorReply("ERR DB index is out of range")
			}
		default:
			return errorReply(msgSyntax)
		}
	}
	if from == to || !e.exists(from) || !replace && e.exists(to) {
		return intReply(0)
	}
	e.remove(to)
	r := e.raw("COPY", from, to)
	e.moveNative(from, to, true)
	e.settleFields(to)
	return r
}

func cmdRename(e *Engine, c *call) Reply {
	from, to := c.args[1], c.args[2]
	switch {
	case !e.exists(from):
		return errorReply(msgNoKey)
	case c.info.Name == "RENAMENX" && e.exists(to):
		return intReply(0)
	case from == to:
		return okReply()
	}
	e.remove(to)
	r := e.raw(c.args...)
	e.moveNative(from, to, false)
	e.settleFields(to)
	return r
}

// expireOptions are the conditions of EXPIRE and its like.
type expireOptions struct{ nx, xx, gt, lt bool }

func parseExpire(list []string) (o expireOptions, bad Reply) {
	for _, word := range list {
		switch upper(word) {
		case "NX":
			o.nx = true
		case "XX":
			o.xx = true
		case "GT":
			o.gt = true
		case "LT":
			o.lt = true
		default:
			return o, errorf("ERR Unsupported option %s", word)
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		return o, errorReply("ERR NX and XX, GT or LT options at the same time are not compatible")
	case o.gt && o.lt:
		return o, errorReply("ERR GT and LT options at the same time are not compatible")
	}
	return o, nilReply
}

// holds decides for a key that ends at old (0 never) and shall end at new. For
// a comparison "never" is later than all.
func (o expireOptions) holds(old, new int64) bool {
	return !(o.nx && old != 0 || o.xx && old == 0 || o.gt && (old == 0 || new <= old) || o.lt && old != 0 && new >= old)
}

func cmdExpire(e *Engine, c *call) Reply {
	o, bad := parseExpire(c.args[3:])
	if isError(bad) {
		return bad
	}
	form := map[string]string{"EXPIRE": "EX", "PEXPIRE": "PX", "EXPIREAT": "EXAT", "PEXPIREAT": "PXAT"}[c.info.Name]
	at, bad := e.pointInTime(lower(c.info.Name), form, c.args[2], true)
	if isError(bad) {
		return bad
	}
	key := c.args[1]
	if !e.exists(key) || !o.holds(e.deadline(key), at) {
		return intReply(0)
	}
	e.setDeadline(key, at)
	return intReply(1)
}

// cmdKeys matches bytes; miniredis fails on patterns that are not UTF-8.
func cmdKeys(e *Engine, c *call) Reply {
	names := []string{}
	for _, key := range e.allKeys() {
		if Match(c.args[1], key) {
			names = append(names, key)
		}
	}
	return bulks(names)
}
