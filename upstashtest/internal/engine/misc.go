package engine

func miscCommands() map[string]handler {
	return map[string]handler{
		"GETEX": cmdGetEX, "LPOP": cmdPop, "RPOP": cmdPop, "SPOP": cmdPop, "DIGEST": cmdDigest,
		"SETRANGE": cmdSetRange, "SETBIT": cmdSetBit, "GETBIT": cmdSetBit,
		"SRANDMEMBER": cmdRandom, "HRANDFIELD": cmdRandom,
	}
}

// cmdGetEX sets or takes away a lifetime while reading. Nothing changes if the
// key is no string, or the lifetime none.
func cmdGetEX(e *Engine, c *call) Reply {
	key, words := c.args[1], c.args[2:]
	var expire []string
	persist := false
	switch {
	case len(words) == 0:
	case len(words) == 1 && upper(words[0]) == "PERSIST":
		persist = true
	case len(words) == 2 && lifetimeForms[upper(words[0])].unit > 0:
		expire = []string{upper(words[0]), words[1]}
	default:
		return errorReply(msgSyntax)
	}
	old := e.getString(key)
	if isError(old) || isNil(old) {
		return old
	}
	if bad := e.absolute("getex", expire); isError(bad) {
		return bad
	}
	if persist {
		e.raw("PERSIST", key)
	}
	if expire != nil {
		at, _ := parseInteger(expire[1])
		e.setDeadline(key, at)
	}
	return old
}

// cmdPop has Redis' words for a count that is none.
func cmdPop(e *Engine, c *call) Reply {
	switch {
	case len(c.args) > 3 && c.info.Name == "SPOP":
		return errorReply(msgSyntax)
	case len(c.args) > 3:
		return wrongArity(c.info.Name)
	}
	if len(c.args) == 3 {
		if n, err := strictAtoi(c.args[2]); err != nil || n < 0 {
			return errorReply(msgNotPositive)
		}
	}
	return e.plain(c)
}

func cmdDigest(e *Engine, c *call) Reply {
	r := e.getString(c.args[1])
	if isError(r) || isNil(r) {
		return r
	}
	return bulk(digest(r.Bytes))
}

// maxString is the largest string of Redis.
const maxString = 512 << 20

// cmdSetRange refuses what would make a string too large before it is made.
func cmdSetRange(e *Engine, c *call) Reply {
	n, err := strictInt(c.args[2])
	switch {
	case err != nil:
		return errorReply(msgNotInt)
	case n < 0:
		return errorReply("ERR offset is out of range")
	case c.args[3] == "":
		return e.do("STRLEN", c.args[1]) // nothing to set makes no key
	}
	if old := e.getString(c.args[1]); isError(old) {
		return old
	}
	if n > maxString-int64(len(c.args[3])) {
		return errorReply("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
	}
	return e.plain(c)
}

func cmdSetBit(e *Engine, c *call) Reply {
	if n, err := strictInt(c.args[2]); err != nil || n < 0 || n >= maxString*8 {
		return errorReply("ERR bit offset is not an integer or out of range")
	}
	if len(c.args) == 4 && c.args[3] != "0" && c.args[3] != "1" {
		return errorReply("ERR bit is not an integer or out of range")
	}
	return e.plain(c)
}

func cmdRandom(e *Engine, c *call) Reply {
	with := "WITHVALUES"
	if c.info.Name == "SRANDMEMBER" {
		if len(c.args) > 3 {
			return errorReply(msgSyntax)
		}
	}
	if _, _, bad := randomArgs(c.args[2:], with); isError(bad) {
		return bad
	}
	return e.plain(c)
}
