package engine

// native is a value of a type that miniredis lacks, or has too little of. It
// lives beside miniredis, which holds a string with a mark under the key: so
// EXISTS, EXPIRE, RENAME, SCAN and their like need not know.
type native interface {
	kind() string
	clone() native
	parts() []string // the strings that it is made of, to tell its size
	dump() []string  // all that it holds
}

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
