package engine

import (
	"strings"
	"time"
)

func hashCommands() map[string]handler {
	m := map[string]handler{
		"HINCRBY": cmdHIncrBy, "HINCRBYFLOAT": cmdHIncrByFloat,
		"HGETDEL": cmdHGetDel, "HGETEX": cmdHGetEX, "HSETEX": cmdHSetEX, "HPERSIST": cmdHPersist,
	}
	for _, name := range []string{"HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"} {
		m[name] = cmdHExpire
	}
	for _, name := range []string{"HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"} {
		m[name] = cmdHTTL
	}
	return m
}

// cmdHIncrBy checks in Redis' order; miniredis adds, and keeps the field's
// lifetime.
func cmdHIncrBy(e *Engine, c *call) Reply {
	by, bad := wholeNumber(c.args[3])
	if isError(bad) {
		return bad
	}
	if _, bad := e.checkHash(c.args[1]); isError(bad) {
		return bad
	}
	old := int64(0)
	if r := e.raw("HGET", c.args[1], c.args[2]); !isNil(r) {
		var ok bool
		if old, ok = parseInteger(text(r)); !ok {
			return errorReply("ERR hash value is not an integer")
		}
	}
	if overflows(old, by) {
		return errorReply("ERR increment or decrement would overflow")
	}
	return e.raw(c.args...)
}

// namedFields reads "FIELDS n field ..." in words; each field has so many
// words. It returns the fields' words.
func namedFields(words []string, width int) ([]string, Reply) {
	if len(words) < 2 || upper(words[0]) != "FIELDS" {
		return nil, errorReply("ERR Mandatory argument FIELDS is missing or not at the right position")
	}
	n, err := strictAtoi(words[1])
	switch {
	case err != nil || n < 1:
		return nil, errorReply("ERR Number of fields must be a positive integer")
	case len(words)-2 != n*width:
		return nil, errorReply("ERR The `numfields` parameter must match the number of arguments")
	}
	return words[2:], nilReply
}

// checkHash refuses a key that is no hash. exists is false if there is none.
func (e *Engine) checkHash(key string) (exists bool, bad Reply) {
	switch e.typeOf(key) {
	case "hash":
		return true, nilReply
	case "none":
		return false, nilReply
	}
	return false, errorReply(msgWrongType)
}

func repeated(n int, v int64) Reply {
	r := array()
	for range n {
		r.Array = append(r.Array, intReply(v))
	}
	return r
}

// lifetime turns the number of an expiry command into when it ends.
func (e *Engine) lifetime(name, form, number string) (int64, Reply) {
	if n, ok := parseInteger(number); ok && n < 0 {
		return 0, errorf("ERR invalid expire time in '%s' command", lower(name))
	}
	return e.pointInTime(lower(name), form, number, true)
}

// expireField sets when a field ends; one whose time has come is deleted.
func (e *Engine) expireField(key, field string, at int64) bool {
	if at <= e.last.UnixMilli() {
		e.raw("HDEL", key, field)
		return false
	}
	e.hasFieldEnds = true
	e.db.HExpire(key, field, time.Duration(at)*time.Millisecond)
	e.endings.add(ending{at, key, field})
	return true
}

func cmdHExpire(e *Engine, c *call) Reply {
	form := map[string]string{"HEXPIRE": "EX", "HPEXPIRE": "PX", "HEXPIREAT": "EXAT", "HPEXPIREAT": "PXAT"}[c.info.Name]
	key, words := c.args[1], c.args[3:]
	at, bad := e.lifetime(c.info.Name, form, c.args[2])
	if isError(bad) {
		return bad
	}
	condition := upper(words[0])
	switch condition {
	case "NX", "XX", "GT", "LT":
		words = words[1:]
	default:
		condition = ""
	}
	return e.eachField(key, words, func(field string) int64 { return e.hexpire(key, field, at, condition) })
}

// hexpire returns 1 set, 2 deleted at once, 0 the condition did not hold, -2
// no such field.
func (e *Engine) hexpire(key, field string, at int64, condition string) int64 {
	if e.raw("HEXISTS", key, field).Int == 0 {
		return -2
	}
	o := expireOptions{nx: condition == "NX", xx: condition == "XX", gt: condition == "GT", lt: condition == "LT"}
	if !o.holds(e.fieldDeadline(key, field), at) {
		return 0
	}
	if !e.expireField(key, field, at) {
		return 2
	}
	return 1
}

// eachField answers a number for each field that the words name; -2 for all if
// there is no hash.
func (e *Engine) eachField(key string, words []string, of func(field string) int64) Reply {
	fields, bad := namedFields(words, 1)
	if isError(bad) {
		return bad
	}
	exists, bad := e.checkHash(key)
	switch {
	case isError(bad):
		return bad
	case !exists:
		return repeated(len(fields), -2)
	}
	r := array()
	for _, f := range fields {
		r.Array = append(r.Array, intReply(of(f)))
	}
	return r
}

func cmdHTTL(e *Engine, c *call) Reply {
	return e.eachField(c.args[1], c.args[2:], func(field string) int64 { return e.httl(c.info.Name, c.args[1], field) })
}

func (e *Engine) httl(name, key, field string) int64 {
	if e.raw("HEXISTS", key, field).Int == 0 {
		return -2
	}
	at := e.fieldDeadline(key, field)
	if at == 0 {
		return -1
	}
	if strings.HasSuffix(name, "TTL") {
		at -= e.last.UnixMilli()
	}
	if name[1] != 'P' {
		at = (at + 500) / 1000
	}
	return at
}

func cmdHPersist(e *Engine, c *call) Reply {
	return e.eachField(c.args[1], c.args[2:], func(field string) int64 {
		n := e.httl("HPTTL", c.args[1], field)
		if n < 0 {
			return n
		}
		e.db.HPersist(c.args[1], field)
		return 1
	})
}

func cmdHGetDel(e *Engine, c *call) Reply {
	fields, bad := namedFields(c.args[2:], 1)
	if isError(bad) {
		return bad
	}
	if _, bad := e.checkHash(c.args[1]); isError(bad) {
		return bad
	}
	r := e.raw(append([]string{"HMGET", c.args[1]}, fields...)...)
	e.raw(append([]string{"HDEL", c.args[1]}, fields...)...)
	return r
}

// expiry is the lifetime option of HGETEX and HSETEX.
type expiry struct {
	set     bool
	at      int64 // Unix milliseconds
	persist bool
	keep    bool
}

// parseExpiry reads one option and returns how many words it took, 0 if the
// word is no such option.
func (e *Engine) parseExpiry(name string, words []string) (expiry, int, Reply) {
	form := upper(words[0])
	switch form {
	case "PERSIST":
		return expiry{persist: true}, 1, nilReply
	case "KEEPTTL":
		return expiry{keep: true}, 1, nilReply
	}
	if lifetimeForms[form].unit == 0 {
		return expiry{}, 0, nilReply
	}
	if len(words) < 2 {
		return expiry{}, 0, errorReply(msgSyntax)
	}
	at, bad := e.lifetime(name, form, words[1])
	if words[1] == "0" {
		bad = errorf("ERR invalid expire time in '%s' command", lower(name))
	}
	return expiry{set: true, at: at}, 2, bad
}

func (e *Engine) applyExpiry(x expiry, key, field string) {
	switch {
	case x.set:
		e.expireField(key, field, x.at)
	case x.persist:
		e.db.HPersist(key, field)
	}
}

func cmdHGetEX(e *Engine, c *call) Reply {
	words := c.args[2:]
	x, n, bad := e.parseExpiry("hgetex", words)
	if isError(bad) {
		return bad
	}
	if x.keep {
		return errorReply(msgSyntax)
	}
	fields, bad := namedFields(words[n:], 1)
	if isError(bad) {
		return bad
	}
	exists, bad := e.checkHash(c.args[1])
	if isError(bad) {
		return bad
	}
	r := e.raw(append([]string{"HMGET", c.args[1]}, fields...)...)
	for i, f := range fields {
		if exists && !isNil(r.Array[i]) {
			e.applyExpiry(x, c.args[1], f)
		}
	}
	return r
}

// cmdHSetEX sets fields with a lifetime, all or none of them.
func cmdHSetEX(e *Engine, c *call) Reply {
	key, words := c.args[1], c.args[2:]
	var x expiry
	condition := ""
	for len(words) > 0 && upper(words[0]) != "FIELDS" {
		if word := upper(words[0]); word == "FNX" || word == "FXX" {
			condition, words = word, words[1:]
			continue
		}
		option, n, bad := e.parseExpiry("hsetex", words)
		if isError(bad) {
			return bad
		}
		if n == 0 || option.persist {
			return errorReply(msgSyntax)
		}
		x, words = option, words[n:]
	}
	pairs, bad := namedFields(words, 2)
	if isError(bad) {
		return bad
	}
	if _, bad := e.checkHash(key); isError(bad) {
		return bad
	}
	if !e.fieldsAllow(condition, key, pairs) {
		return intReply(0)
	}
	for i := 0; i < len(pairs); i += 2 {
		e.setField(x, key, pairs[i], pairs[i+1])
	}
	return intReply(1)
}

// fieldsAllow checks FNX and FXX for all fields before any is written.
func (e *Engine) fieldsAllow(condition, key string, pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		has := e.raw("HEXISTS", key, pairs[i]).Int == 1
		if condition == "FNX" && has || condition == "FXX" && !has {
			return false
		}
	}
	return true
}

func (e *Engine) setField(x expiry, key, field, value string) {
	old := e.fieldDeadline(key, field)
	e.raw("HSET", key, field, value)
	switch {
	case x.keep && old > 0:
		e.expireField(key, field, old)
	case !x.keep:
		e.db.HPersist(key, field)
		e.applyExpiry(x, key, field)
	}
}

// fieldEffects replicates a write to a hash by what it left behind: each field
// that was named, with its value and its end.
func (e *Engine) fieldEffects(in *Info, args []string) [][]string {
	key := args[1]
	var names []string
	switch in.Name {
	case "HGETDEL", "HGETEX", "HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HPERSIST", "HSETEX":
		width := 1
		if in.Name == "HSETEX" {
			width = 2
		}
		for i, word := range args {
			if i > 1 && upper(word) == "FIELDS" {
				for j := i + 2; j < len(args); j += width {
					names = append(names, args[j])
				}
				break
			}
		}
	default:
		return [][]string{args}
	}
	var cmds [][]string
	for _, f := range names {
		v := e.raw("HGET", key, f)
		if isNil(v) {
			cmds = append(cmds, []string{"HDEL", key, f})
			continue
		}
		cmds = append(cmds, []string{"HDEL", key, f}, []string{"HSET", key, f, text(v)})
		if at := e.httl("HPEXPIRETIME", key, f); at > 0 {
			cmds = append(cmds, []string{"HPEXPIREAT", key, itoa(at), "FIELDS", "1", f})
		}
	}
	return cmds
}

func cmdHIncrByFloat(e *Engine, c *call) Reply {
	key, field := c.args[1], c.args[2]
	by, ok := longFloat(c.args[3])
	switch {
	case !ok:
		return errorReply(msgNotFloat)
	case by.IsInf():
		return errorReply("ERR value is NaN or Infinity")
	}
	if _, bad := e.checkHash(key); isError(bad) {
		return bad
	}
	old := e.raw("HGET", key, field)
	if isNil(old) {
		old = bulk("0")
	}
	sum := addFloat(text(old), c.args[3], "ERR hash value is not a float")
	if isError(sum) {
		return sum
	}
	at := e.fieldDeadline(key, field)
	e.raw("HSET", key, field, text(sum))
	if at > 0 {
		e.expireField(key, field, at)
	}
	return sum
}
