package engine

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// A dump is our own format, not that of Redis: a mark, the type, the strings
// that the value is made of, each with its length, and a checksum.
const dumpMark = "restash1"

func dumpCommands() map[string]handler {
	return map[string]handler{"DUMP": cmdDump, "RESTORE": cmdRestore}
}

func cmdDump(e *Engine, c *call) Reply {
	kind := e.typeOf(c.args[1])
	switch kind {
	case "none":
		return nilReply
	case "string":
		if isError(e.raw("GET", c.args[1])) {
			return errorReply("ERR DUMP of a HyperLogLog is not emulated by this server")
		}
	}
	out := []byte(dumpMark)
	parts := e.parts(c.args[1])
	if kind == "stream" {
		parts = e.streamParts(c.args[1])
	}
	for _, s := range append([]string{kind}, parts...) {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	return bulk(string(binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out))))
}

// streamParts is a stream without its groups: each entry's ID, how many words
// it has, and these.
func (e *Engine) streamParts(key string) []string {
	var parts []string
	for _, entry := range e.raw("XRANGE", key, "-", "+").Array {
		fields := texts(entry.Array[1])
		parts = append(append(parts, text(entry.Array[0]), strconv.Itoa(len(fields))), fields...)
	}
	return parts
}

func (e *Engine) rebuildStream(key string, parts []string) {
	for len(parts) > 2 {
		n, err := strconv.Atoi(parts[1])
		if err != nil || n < 1 || n > len(parts)-2 {
			return
		}
		e.raw(append([]string{"XADD", key, parts[0]}, parts[2:2+n]...)...)
		parts = parts[2+n:]
	}
}

// undump returns the type and the strings of a dump.
func undump(b string) (parts []string, ok bool) {
	body, found := strings.CutPrefix(b, dumpMark)
	if !found || len(body) < 4 {
		return nil, false
	}
	whole := []byte(b[:len(b)-4])
	if binary.BigEndian.Uint32([]byte(b[len(b)-4:])) != crc32.ChecksumIEEE(whole) {
		return nil, false
	}
	for rest := whole[len(dumpMark):]; len(rest) > 0; {
		n, used := binary.Uvarint(rest)
		if used <= 0 || n > uint64(len(rest)-used) {
			return nil, false
		}
		parts = append(parts, string(rest[used:used+int(n)]))
		rest = rest[used+int(n):]
	}
	return parts, len(parts) > 0
}

func cmdRestore(e *Engine, c *call) Reply {
	key := c.args[1]
	ttl, err := strconv.ParseInt(c.args[2], 10, 64)
	if err != nil {
		return errorReply(msgNotInt)
	}
	if ttl < 0 {
		return errorReply("ERR Invalid TTL value, must be >= 0")
	}
	replace, absolute := false, false
	w := &words{list: c.args[4:]}
	for len(w.list) > 0 {
		switch upper(w.take(1)[0]) {
		case "REPLACE":
			replace = true
		case "ABSTTL":
			absolute = true
		case "IDLETIME", "FREQ":
			w.take(1)
		default:
			return errorReply(msgSyntax)
		}
	}
	if isError(w.bad) {
		return w.bad
	}
	parts, ok := undump(c.args[3])
	if !ok {
		return errorReply("ERR DUMP payload version or checksum are wrong")
	}
	if e.typeOf(key) != "none" {
		if !replace {
			return errorReply("BUSYKEY Target key name already exists.")
		}
		e.raw("DEL", key)
	}
	e.rebuild(key, parts)
	if ttl > 0 {
		if !absolute {
			ttl = e.last.Add(time.Duration(ttl) * time.Millisecond).UnixMilli()
		}
		e.raw("PEXPIREAT", key, itoa(ttl))
	}
	return okReply()
}

// rebuild makes a value of its type and parts.
func (e *Engine) rebuild(key string, parts []string) {
	kind, parts := parts[0], parts[1:]
	switch kind {
	case "string":
		e.raw("SET", key, strings.Join(parts, ""))
	case jsonType:
		e.hasJSON = true
		e.raw("SET", key, jsonMark+strings.Join(parts, ""))
	case "hash":
		e.raw(append([]string{"HSET", key}, parts...)...)
	case "list":
		e.raw(append([]string{"RPUSH", key}, parts...)...)
	case "set":
		e.raw(append([]string{"SADD", key}, parts...)...)
	case "stream":
		e.rebuildStream(key, parts)
	case "zset":
		for i := 0; i+1 < len(parts); i += 2 {
			e.raw("ZADD", key, parts[i+1], parts[i])
		}
	}
}
