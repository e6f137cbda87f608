package engine

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// A dump is our own format, not that of Redis: a mark, the type, the strings
// that the value is made of, each with its length, and a checksum.
const dumpMark = "restash1"

func dumpCommands() map[string]handler {
	return map[string]handler{"DUMP": cmdDump, "RESTORE": cmdRestore}
}

func cmdDump(e *Engine, c *call) Reply {
	if !e.exists(c.args[1]) {
		return nilReply
	}
	return bulk(seal(append([]string{e.typeOf(c.args[1])}, e.dumpOf(c.args[1])...)))
}

// dumpOf is a value as strings: of our own types all that they hold, of the
// others what they are made of.
func (e *Engine) dumpOf(key string) []string {
	if v := e.natives[key]; v != nil {
		return v.dump()
	}
	parts := e.parts(key)
	if e.typeOf(key) != "hash" {
		return parts
	}
	// The lifetimes of fields come last.
	out := append([]string{itoa(int64(len(parts)))}, parts...)
	for i := 0; i < len(parts); i += 2 {
		if at := e.fieldDeadline(key, parts[i]); at > 0 {
			out = append(out, parts[i], itoa(at))
		}
	}
	return out
}

// seal makes a dump of its strings.
func seal(parts []string) string {
	out := []byte(dumpMark)
	for _, s := range parts {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	return string(binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out)))
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
	if e.exists(key) && !replace {
		return errorReply("BUSYKEY Target key name already exists.")
	}
	ttl, bad := wholeNumber(c.args[2])
	switch {
	case isError(bad):
		return bad
	case ttl < 0:
		return errorReply("ERR Invalid TTL value, must be >= 0")
	}
	parts, ok := undump(c.args[3])
	if !ok {
		return errorReply("ERR DUMP payload version or checksum are wrong")
	}
	if ttl > 0 && !absolute {
		ttl = min(ttl, maxLife) + e.last.UnixMilli()
	}
	return e.restore(key, parts, ttl)
}

// restore puts a value in the place of what was there. at is when it ends, 0
// never; if that time has come nothing is stored.
func (e *Engine) restore(key string, parts []string, at int64) Reply {
	kind, parts := parts[0], parts[1:]
	var v native
	if undump := undumpNative[kind]; undump != nil {
		var ok bool
		if v, ok = undump(parts); !ok {
			return errorReply("ERR Bad data format")
		}
	}
	e.remove(key)
	if at > 0 && at <= e.last.UnixMilli() {
		return okReply()
	}
	if v != nil {
		e.setNative(key, v)
	} else {
		e.rebuild(key, kind, parts)
	}
	if at > 0 {
		e.setDeadline(key, at)
	}
	return okReply()
}

// undumpNative are the readers of our own types.
var undumpNative = map[string]func(parts []string) (native, bool){"stream": undumpStream, "zset": undumpZset, "array": undumpSparse, "vector": undumpVectors}

// rebuild makes a value of its type and parts.
func (e *Engine) rebuild(key, kind string, parts []string) {
	switch kind {
	case "string":
		e.raw("SET", key, strings.Join(parts, ""))
	case jsonType:
		e.hasJSON = true
		e.raw("SET", key, jsonMark+strings.Join(parts, ""))
	case "hash":
		e.rebuildHash(key, &dumpReader{list: parts})
	case "list":
		e.raw(append([]string{"RPUSH", key}, parts...)...)
	case "set":
		e.raw(append([]string{"SADD", key}, parts...)...)
	}
}

func (e *Engine) rebuildHash(key string, r *dumpReader) {
	e.raw(append([]string{"HSET", key}, r.texts(r.count())...)...)
	for len(r.list) > 1 {
		e.expireField(key, r.text(), r.number())
	}
}
