package engine

import (
	"strings"
)

func stringCommands() map[string]handler {
	return map[string]handler{
		"SET": cmdSet, "SETEX": cmdSetEX, "PSETEX": cmdSetEX, "MGET": cmdMGet,
		"DELEX": cmdDelEX, "GETRANGE": cmdGetRange, "SUBSTR": cmdGetRange,
	}
}

// setArgs are the options of SET.
type setArgs struct {
	nx, xx, get, keep bool
	when              string // IFEQ, IFNE, IFDEQ or IFDNE
	want              string
	expire            []string // PXAT and the like with its number
}

func parseSet(args []string) (setArgs, Reply) {
	var o setArgs
	for i := 0; i < len(args); i++ {
		word := upper(args[i])
		switch word {
		case "NX":
			o.nx = true
		case "XX":
			o.xx = true
		case "GET":
			o.get = true
		case "KEEPTTL":
			o.keep = true
		case "EX", "PX", "EXAT", "PXAT", "IFEQ", "IFNE", "IFDEQ", "IFDNE":
			if i++; i == len(args) || !o.take(word, args[i]) {
				return o, errorReply(msgSyntax)
			}
		default:
			return o, errorReply(msgSyntax)
		}
	}
	if o.contradicts() {
		return o, errorReply(msgSyntax)
	}
	return o, nilReply
}

func (o *setArgs) contradicts() bool {
	return o.nx && o.xx || o.when != "" && (o.nx || o.xx) || o.keep && o.expire != nil
}

// take notes a lifetime or a comparison, of which there may be one each.
func (o *setArgs) take(word, value string) bool {
	if strings.HasPrefix(word, "IF") {
		first := o.when == ""
		o.when, o.want = word, value
		return first
	}
	first := o.expire == nil
	o.expire = []string{word, value}
	return first
}

// cmdSet is SET with the compare-and-set conditions of Redis 8.4, which
// miniredis lacks.
func cmdSet(e *Engine, c *call) Reply {
	key := c.args[1]
	o, bad := parseSet(c.args[3:])
	if isError(bad) {
		return bad
	}
	if bad := e.absolute("set", o.expire); isError(bad) {
		return bad
	}
	var old Reply
	if o.get || o.when != "" {
		if old = e.getString(key); isError(old) {
			return old
		}
	}
	if o.when != "" && !holds(o.when, o.want, old) {
		if o.get {
			return old
		}
		return nilReply
	}
	args := []string{"SET", key, c.args[2]}
	args = append(args, o.expire...)
	for word, on := range map[string]bool{"NX": o.nx, "XX": o.xx, "KEEPTTL": o.keep} {
		if on {
			args = append(args, word)
		}
	}
	r := e.raw(args...)
	if o.get && !isError(r) {
		return old
	}
	return r
}

// holds decides a compare condition. An absent key differs from everything.
func holds(when, want string, old Reply) bool {
	if isNil(old) {
		return when == "IFNE" || when == "IFDNE"
	}
	switch when {
	case "IFEQ":
		return text(old) == want
	case "IFNE":
		return text(old) != want
	case "IFDEQ":
		return strings.EqualFold(digest(old.Bytes), want)
	}
	return !strings.EqualFold(digest(old.Bytes), want)
}

// absolute turns a lifetime option, its form and its number, into PXAT.
func (e *Engine) absolute(command string, expire []string) Reply {
	if expire == nil {
		return nilReply
	}
	at, bad := e.pointInTime(command, expire[0], expire[1], false)
	expire[0], expire[1] = "PXAT", itoa(at)
	return bad
}

func cmdSetEX(e *Engine, c *call) Reply {
	unit := "EX"
	if c.info.Name == "PSETEX" {
		unit = "PX"
	}
	at, bad := e.pointInTime(lower(c.info.Name), unit, c.args[2], false)
	if isError(bad) {
		return bad
	}
	return e.raw("SET", c.args[1], c.args[3], "PXAT", itoa(at))
}

// cmdMGet answers nil for what is no string, as Redis does; JSON documents
// are strings to miniredis only.
func cmdMGet(e *Engine, c *call) Reply {
	r := e.raw(c.args...)
	for i, v := range r.Array {
		if e.hidden(text(v)) {
			r.Array[i] = nilReply
		}
	}
	return r
}

// cmdDelEX is DEL if the value, or its digest, is or is not the given one.
func cmdDelEX(e *Engine, c *call) Reply {
	key := c.args[1]
	switch {
	case len(c.args) == 2:
		return e.raw("DEL", key)
	case len(c.args) != 4:
		return wrongArity("DELEX")
	}
	when := upper(c.args[2])
	switch when {
	case "IFEQ", "IFNE", "IFDEQ", "IFDNE":
	default:
		return errorReply("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")
	}
	if t := e.typeOf(key); t == "none" {
		return intReply(0)
	}
	old := e.getString(key)
	if isError(old) {
		return errorReply("ERR Key should be of string type if conditions are specified")
	}
	if !holds(when, c.args[3], old) {
		return intReply(0)
	}
	return e.raw("DEL", key)
}

// cmdGetRange is GETRANGE, and SUBSTR, its old name.
func cmdGetRange(e *Engine, c *call) Reply {
	start, bad1 := wholeNumber(c.args[2])
	end, bad2 := wholeNumber(c.args[3])
	if isError(bad1) || isError(bad2) {
		return errorReply(msgNotInt)
	}
	r := e.getString(c.args[1])
	if isError(r) {
		return r
	}
	from, to := byteRange(start, end, len(r.Bytes))
	return bulk(string(r.Bytes[from:to]))
}

// byteRange turns the ends of a range of a string into indexes. An end before
// the first byte is the first byte, unlike in lists.
func byteRange(start, end int64, size int) (int, int) {
	if start < 0 && end < 0 && start > end {
		return 0, 0
	}
	return clampRange(start, end, size)
}

// clampRange is byteRange where Redis does not look for ends in the wrong order
// before it counts them from the end: both may then be the first byte.
func clampRange(start, end int64, size int) (int, int) {
	n := int64(size)
	if n == 0 {
		return 0, 0
	}
	if start < 0 {
		start = max(start+n, 0)
	}
	if end < 0 {
		end = max(end+n, 0)
	}
	if end = min(end, n-1); start > end {
		return 0, 0
	}
	return int(start), int(end + 1)
}
