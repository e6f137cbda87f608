package engine

import (
	"fmt"
	"slices"
	"strings"
)

func serverCommands() map[string]handler {
	return map[string]handler{
		"SELECT": cmdSelect, "COMMAND": cmdCommand, "FLUSHALL": cmdFlush, "FLUSHDB": cmdFlush,
		"TIME": cmdTime, "INFO": cmdInfo, "MEMORY USAGE": cmdMemoryUsage,
		"CONFIG GET": cmdConfigGet, "CONFIG SET": cmdConfigSet, "WAIT": cmdWait, "WAITAOF": cmdWaitAOF,
	}
}

// searchCommands are Upstash's own full-text search, which nothing here can
// stand in for.
func searchCommands() map[string]handler {
	m := map[string]handler{}
	for name, in := range table() {
		if in.Group == "search" {
			m[name] = func(_ *Engine, c *call) Reply { return errorf("ERR %s is not emulated by this server", c.info.Name) }
		}
	}
	return m
}

// cmdSelect knows database 0 only: Upstash has one.
func cmdSelect(_ *Engine, c *call) Reply {
	if c.args[1] != "0" {
		return errorReply("ERR DB index is out of range")
	}
	return okReply()
}

// cmdCommand is empty on Upstash.
func cmdCommand(*Engine, *call) Reply { return array() }

func cmdFlush(e *Engine, c *call) Reply {
	if len(c.args) > 2 {
		return errorReply(msgSyntax)
	}
	if len(c.args) == 2 {
		if word := upper(c.args[1]); word != "SYNC" && word != "ASYNC" {
			return errorReply(msgSyntax)
		}
	}
	clear(e.natives)
	return e.raw("FLUSHALL")
}

func cmdTime(e *Engine, _ *call) Reply {
	e.tick()
	return bulks([]string{itoa(e.last.Unix()), itoa(int64(e.last.Nanosecond() / 1000))})
}

func cmdWait(e *Engine, c *call) Reply { return intReply(0) }

func cmdWaitAOF(*Engine, *call) Reply { return array(intReply(0), intReply(0)) }

// cmdInfo has the sections that Upstash documents, with what is known here.
func cmdInfo(e *Engine, c *call) Reply {
	keys := e.allKeys()
	mortal := 0
	for _, key := range keys {
		if e.deadline(key) > 0 {
			mortal++
		}
	}
	sections := map[string]string{
		"server":   "redis_version:8.2.0\r\nupstash_version:restash\r\nredis_mode:standalone\r\n",
		"clients":  "connected_clients:0\r\n",
		"stats":    "total_commands_processed:0\r\n",
		"memory":   fmt.Sprintf("used_memory:%d\r\n", e.dataSize()),
		"keyspace": fmt.Sprintf("db0:keys=%d,expires=%d,avg_ttl=0\r\n", len(keys), mortal),
	}
	wanted := []string{"server", "clients", "memory", "stats", "keyspace"}
	if len(c.args) > 1 {
		asked := c.args[1:]
		wanted = slices.DeleteFunc(wanted, func(s string) bool {
			return !slices.ContainsFunc(asked, func(a string) bool {
				a = lower(a)
				return a == s || a == "all" || a == "everything" || a == "default"
			})
		})
	}
	var b strings.Builder
	for _, name := range wanted {
		fmt.Fprintf(&b, "# %s%s\r\n%s\r\n", upper(name[:1]), name[1:], sections[name])
	}
	return bulk(b.String())
}

// keyOverhead is what a key costs beside its name and value; the number is
// ours.
const keyOverhead = 56

// size estimates the bytes that a key takes.
func (e *Engine) size(key string) int64 {
	n := int64(keyOverhead + len(key))
	for _, part := range e.parts(key) {
		n += int64(len(part))
	}
	return n
}

// parts are all strings that a value is made of.
func (e *Engine) parts(key string) []string {
	var r Reply
	switch e.typeOf(key) {
	case "string":
		if r = e.raw("GET", key); isError(r) {
			return []string{strings.Repeat("\x00", 12304)} // a HyperLogLog
		}
	case jsonType:
		return []string{strings.TrimPrefix(text(e.raw("GET", key)), jsonMark)}
	case "hash":
		r = e.raw("HGETALL", key)
	case "list":
		r = e.raw("LRANGE", key, "0", "-1")
	case "set":
		r = e.raw("SMEMBERS", key)
	default:
		if v := e.natives[key]; v != nil {
			return v.parts()
		}
	}
	return flatten(r, nil)
}

func flatten(r Reply, into []string) []string {
	if r.Kind != array().Kind {
		return append(into, text(r))
	}
	for _, one := range r.Array {
		into = flatten(one, into)
	}
	return into
}

func (e *Engine) dataSize() int64 {
	n := int64(0)
	for _, key := range e.allKeys() {
		n += e.size(key)
	}
	return n
}

func cmdMemoryUsage(e *Engine, c *call) Reply {
	if len(c.args) != 3 && (len(c.args) != 5 || upper(c.args[3]) != "SAMPLES") {
		return errorReply(msgSyntax)
	}
	if e.typeOf(c.args[2]) == "none" {
		return nilReply
	}
	return intReply(e.size(c.args[2]))
}

func cmdConfigGet(e *Engine, c *call) Reply {
	for _, pattern := range c.args[2:] {
		if Match(lower(pattern), notifyEvents) {
			return bulks([]string{notifyEvents, e.notify})
		}
	}
	return array()
}

func cmdConfigSet(e *Engine, c *call) Reply {
	for pair := range slices.Chunk(c.args[2:], 2) {
		if len(pair) != 2 {
			return wrongArity(c.info.Name)
		}
		if lower(pair[0]) != notifyEvents {
			return errorf("ERR Unknown option or number of arguments for CONFIG SET - '%s'", pair[0])
		}
		letters, bad := parseNotify(pair[1])
		if isError(bad) {
			return bad
		}
		e.notify = letters
	}
	return okReply()
}
