package engine

import (
	"strings"
)

const nativeMark = "\x00restash:native"

// setNative stores a value. A lifetime that the key has stays.
func (e *Engine) setNative(key string, v native) {
	if e.natives == nil {
		e.natives = map[string]native{}
	}
	if e.natives[key] == nil {
		e.raw("SET", key, nativeMark)
	}
	e.natives[key] = v
}

// remove deletes a key.
func (e *Engine) remove(key string) {
	delete(e.natives, key)
	e.raw("DEL", key)
}

func (e *Engine) exists(key string) bool { return e.db.Exists(key) }

// typeOf returns the type of key as TYPE has it; "none" if there is none.
func (e *Engine) typeOf(key string) string {
	if v := e.natives[key]; v != nil {
		return v.kind()
	}
	t := e.db.Type(key)
	switch {
	case t == "":
		return "none"
	case t == "string" && e.hasJSON && e.isJSON(key):
		return jsonType
	}
	return t
}

// hidden reports whether a string of miniredis is a value of another type.
func (e *Engine) hidden(s string) bool { return s == nativeMark || isJSONText(s) }

// refuseHidden keeps the commands of strings away from values of other types
// that miniredis holds as strings.
func (e *Engine) refuseHidden(c *call) Reply {
	switch c.info.Group {
	case "string", "bitmap", "hyperloglog":
	default:
		return nilReply
	}
	switch c.info.Name {
	case "SETNX", "MSET", "MSETNX":
		return nilReply
	}
	for _, key := range c.info.Keys(c.args) {
		if e.natives[key] != nil || e.hasJSON && e.isJSON(key) {
			return errorReply(msgWrongType)
		}
	}
	return nilReply
}

// moveNative follows a RENAME or a COPY that succeeded.
func (e *Engine) moveNative(from, to string, copied bool) {
	v := e.natives[from]
	if v == nil {
		delete(e.natives, to)
		return
	}
	if copied {
		e.natives[to] = v.clone()
		return
	}
	e.natives[to] = v
	delete(e.natives, from)
}

func isJSONText(s string) bool { return strings.HasPrefix(s, jsonMark) }

// A JSON document lives in miniredis as a string with a mark in front, so that
// DEL, EXPIRE, RENAME, COPY, SCAN and FLUSHALL work on it without bookkeeping.
const (
	// Chosen, see FIDELITY.md: the type has RedisJSON's name.
	jsonType = "ReJSON-RL"
	jsonMark = "\x00restash:json\x00"
)

func (e *Engine) isJSON(key string) bool { return isJSONText(text(e.raw("GET", key))) }

// documents remembers the documents that a command may change at many places:
// an error at the last of them must leave no trace at the first. The function
// puts them back.
func (e *Engine) documents(c *call) (undo func()) {
	if !c.info.Write || c.info.Group != "json" {
		return func() {}
	}
	before := map[string]string{}
	for _, key := range c.info.Keys(c.args) {
		if e.hasJSON && e.isJSON(key) {
			before[key] = text(e.raw("GET", key))
		}
	}
	return func() {
		for key, doc := range before {
			e.raw("SET", key, doc, "KEEPTTL")
		}
	}
}

// getString is GET, but a JSON document is of the wrong type.
func (e *Engine) getString(key string) Reply {
	r := e.raw("GET", key)
	if e.hidden(text(r)) {
		return errorReply(msgWrongType)
	}
	return r
}
