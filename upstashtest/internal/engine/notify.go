package engine

import "strings"

// notifyEvents is the one setting that Upstash knows: which changes of keys are
// published on __keyspace@0__:<key> and __keyevent@0__:<event>.
const notifyEvents = "notify-keyspace-events"

// classOf is the letter of the setting for a family of commands.
var classOf = map[string]byte{
	"string": '$', "bitmap": '$', "hyperloglog": '$', "generic": 'g', "list": 'l', "set": 's',
	"hash": 'h', "sorted-set": 'z', "geo": 'z', "streams": 't', "json": 'd',
}

// eventOf has the events that are not called as their command.
var eventOf = map[string]string{
	"UNLINK": "del", "GETDEL": "del", "DELEX": "del", "SETEX": "set", "PSETEX": "set", "SETNX": "set", "GETSET": "set",
	"MSET": "set", "MSETEX": "set", "MSETNX": "set", "INCR": "incrby", "DECR": "decrby", "BITOP": "set", "BITFIELD": "setbit",
	"PEXPIRE": "expire", "EXPIREAT": "expire", "PEXPIREAT": "expire", "COPY": "copy_to",
	"HMSET": "hset", "HSETNX": "hset", "HGETDEL": "hdel", "HEXPIREAT": "hexpire", "HPEXPIRE": "hexpire", "HPEXPIREAT": "hexpire",
	"LPUSHX": "lpush", "RPUSHX": "rpush", "ZINCRBY": "zincr", "GEOADD": "zadd", "PFMERGE": "pfadd",
}

// parseNotify reads the letters of the setting; A stands for all classes.
func parseNotify(letters string) (string, Reply) {
	for _, c := range letters {
		if !strings.ContainsRune("KEg$lshzxetdmnA", c) {
			return "", errorf("ERR CONFIG SET failed (possibly related to argument '%s') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'.", notifyEvents)
		}
	}
	return letters, nilReply
}

// wants reports whether events of a class are published.
func (e *Engine) wants(class byte) bool {
	if !strings.ContainsAny(e.notify, "KE") {
		return false
	}
	return strings.IndexByte(e.notify, class) >= 0 ||
		strings.Contains(e.notify, "A") && class != 'm' && class != 'n'
}

// notifyWrite publishes what a command changed.
func (e *Engine) notifyWrite(c *call, r Reply) {
	if e.notify == "" || isNil(r) || r.Kind == intReply(0).Kind && r.Int == 0 && c.info.Group != "string" {
		return
	}
	class := classOf[c.info.Group]
	if !e.wants(class) {
		return
	}
	keys := c.info.Keys(c.args)
	switch c.info.Name {
	case "RENAME", "RENAMENX":
		e.event("rename_from", keys[0])
		e.event("rename_to", keys[1])
		return
	case "COPY", "RPOPLPUSH", "LMOVE", "SMOVE":
		keys = keys[1:]
	case "BITOP", "SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE", "ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE", "PFMERGE":
		keys = keys[:1]
	}
	name := eventOf[c.info.Name]
	if name == "" {
		name = lower(strings.ReplaceAll(c.info.Name, " ", "-"))
	}
	for _, key := range keys {
		e.event(name, key)
	}
}

func (e *Engine) event(name, key string) {
	if strings.Contains(e.notify, "K") {
		e.hub.publish("__keyspace@0__:"+key, name)
	}
	if strings.Contains(e.notify, "E") {
		e.hub.publish("__keyevent@0__:"+name, key)
	}
}
