package engine

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

func cmdJSONSet(e *Engine, c *call) Reply {
	nx, xx := false, false
	for _, word := range c.args[4:] {
		switch upper(word) {
		case "NX":
			nx = true
		case "XX":
			xx = true
		default:
			return errorReply(msgSyntax)
		}
	}
	if nx && xx {
		return errorReply(msgSyntax)
	}
	return e.jsonSet(c.args[1], c.args[2], c.args[3], nx, xx)
}

func (e *Engine) jsonSet(key, path, value string, nx, xx bool) Reply {
	v, err := parseJSON(value)
	if err != nil {
		return errorReply("ERR failed to parse JSON value")
	}
	p, bad := parseJSONPath(path)
	if isError(bad) {
		return bad
	}
	root, ok, bad := e.loadJSON(key)
	if isError(bad) {
		return bad
	}
	if len(p.expr) <= 1 {
		if nx && ok || xx && !ok {
			return nilReply
		}
		e.raw("DEL", key)
		e.storeJSON(key, v)
		return okReply()
	}
	if !ok {
		return errorReply("ERR new objects must be created at the root")
	}
	return e.jsonSetAt(key, path, p, root, v, nx, xx)
}

// jsonSetAt writes v at the places of a path, or as a new member where its
// parents are.
func (e *Engine) jsonSetAt(key, path string, p jsonPath, root, v any, nx, xx bool) Reply {
	places, err := p.locate(root)
	if err != nil {
		return errorf("ERR %v", err)
	}
	parents, name := p.target(root)
	switch {
	case len(places) > 0 && nx, len(places) == 0 && xx:
		return nilReply
	case len(places) == 0 && len(parents) == 0:
		return errorf("ERR Path '%s' does not exist", path) // the Python SDK's tests show that it is an error
	}
	for _, place := range places {
		root = replaceAt(root, place, v)
	}
	if len(places) == 0 {
		for _, place := range parents {
			valueAt(root, place).(*object).SetValueForKey(name, v)
		}
	}
	e.storeJSON(key, root)
	return okReply()
}

// cmdJSONMSet checks all before it sets any.
func cmdJSONMSet(e *Engine, c *call) Reply {
	if (len(c.args)-1)%3 != 0 {
		return wrongArity(c.info.Name)
	}
	triples := slices.Collect(slices.Chunk(c.args[1:], 3))
	for _, t := range triples {
		if _, err := parseJSON(t[2]); err != nil {
			return errorReply("ERR failed to parse JSON value")
		}
		p, bad := parseJSONPath(t[1])
		if isError(bad) {
			return bad
		}
		_, ok, bad := e.loadJSON(t[0])
		switch {
		case isError(bad):
			return bad
		case !ok && len(p.expr) > 1:
			return errorReply("ERR new objects must be created at the root")
		}
	}
	for _, t := range triples {
		e.jsonSet(t[0], t[1], t[2], false, false)
	}
	return okReply()
}

func cmdJSONMerge(e *Engine, c *call) Reply {
	patch, err := parseJSON(c.args[3])
	if err != nil {
		return errorReply("ERR failed to parse JSON value")
	}
	p, bad := parseJSONPath(c.args[2])
	if isError(bad) {
		return bad
	}
	root, ok, bad := e.loadJSON(c.args[1])
	switch {
	case isError(bad):
		return bad
	case !ok && len(p.expr) > 1:
		return errorReply("ERR new objects must be created at the root")
	case !ok:
		e.storeJSON(c.args[1], mergeJSON(nil, patch))
		return okReply()
	}
	places, err := p.locate(root)
	if err != nil {
		return errorf("ERR %v", err)
	}
	if len(places) == 0 {
		return e.jsonSet(c.args[1], c.args[2], compact(mergeJSON(nil, patch)), false, false)
	}
	inOrder(root, places)
	for _, place := range slices.Backward(places) {
		switch {
		case patch != nil:
			root = replaceAt(root, place, mergeJSON(valueAt(root, place), patch))
		case len(place) == 0:
			e.raw("DEL", c.args[1])
			return okReply()
		default:
			root = removeAt(root, place)
		}
	}
	e.storeJSON(c.args[1], root)
	return okReply()
}

func cmdJSONDel(e *Engine, c *call) Reply {
	p, bad := parseJSONPath(pathOr(c.args, 2))
	if isError(bad) {
		return bad
	}
	root, ok, bad := e.loadJSON(c.args[1])
	if isError(bad) {
		return bad
	}
	if !ok {
		return intReply(0)
	}
	places, err := p.locate(root)
	if err != nil {
		return errorf("ERR %v", err)
	}
	inOrder(root, places)
	for _, place := range slices.Backward(places) {
		if len(place) == 0 {
			e.raw("DEL", c.args[1])
			return intReply(1)
		}
		root = removeAt(root, place)
	}
	if len(places) > 0 {
		e.storeJSON(c.args[1], root)
	}
	return intReply(int64(len(places)))
}

// cmdJSONNum answers with JSON text, as RedisJSON does over RESP2.
func cmdJSONNum(e *Engine, c *call) Reply {
	operand, err := parseJSON(c.args[3])
	if typeName(operand) != "integer" && typeName(operand) != "number" || err != nil {
		return errorReply("ERR value is not a number")
	}
	overflow := false
	r := e.changeAt(c.args[1], c.args[2], "number", func(v any) (any, Reply, bool) {
		if t := typeName(v); t != "integer" && t != "number" {
			return nil, nilReply, false
		}
		after := arithmetic(c.info.Name == "JSON.NUMMULTBY", v, operand)
		if f, ok := after.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			overflow = true
			return v, nilReply, true
		}
		return after, bulk(compact(after)), true
	})
	if overflow {
		return errorReply("ERR result is not a number")
	}
	if r.Kind != array().Kind {
		return r
	}
	words := make([]string, len(r.Array))
	for i, one := range r.Array {
		if words[i] = text(one); isNil(one) {
			words[i] = "null"
		}
	}
	return bulk("[" + strings.Join(words, ",") + "]")
}

func arithmetic(multiply bool, a, b any) any {
	x, okX := a.(int64)
	y, okY := b.(int64)
	if okX && okY {
		if sum := x + y; !multiply && (sum > x) == (y > 0) {
			return sum
		}
		if product := x * y; multiply && (x == 0 || product/x == y && !(x == -1 && y == math.MinInt64)) {
			return product
		}
	}
	if multiply {
		return toFloat(a) * toFloat(b)
	}
	return toFloat(a) + toFloat(b)
}

func toFloat(v any) float64 {
	switch n := v.(type) {
	case int64:
		return float64(n)
	case wide:
		f, _ := strconv.ParseFloat(string(n), 64) // too large is infinite
		return f
	}
	return v.(float64)
}

func cmdJSONStrAppend(e *Engine, c *call) Reply {
	path, value := rootPath, c.args[2]
	if len(c.args) == 4 {
		path, value = c.args[2], c.args[3]
	}
	more, err := parseJSON(value)
	suffix, ok := more.(string)
	if err != nil || !ok {
		return errorReply("ERR expected a JSON string")
	}
	return e.changeAt(c.args[1], path, "string", func(v any) (any, Reply, bool) {
		s, ok := v.(string)
		return s + suffix, intReply(int64(len(s) + len(suffix))), ok
	})
}

// cmdJSONToggle answers 1 or 0, and for a legacy path true or false.
func cmdJSONToggle(e *Engine, c *call) Reply {
	legacy := !strings.HasPrefix(c.args[2], "$")
	return e.changeAt(c.args[1], c.args[2], "boolean", func(v any) (any, Reply, bool) {
		b, ok := v.(bool)
		if legacy {
			return !b, bulk(strconv.FormatBool(!b)), ok
		}
		return !b, boolReply(!b), ok
	})
}

// cmdJSONClear empties containers and zeroes numbers; it counts what changed.
func cmdJSONClear(e *Engine, c *call) Reply {
	n := int64(0)
	path := pathOr(c.args, 2)
	r := e.changeAt(c.args[1], path, "container", func(v any) (any, Reply, bool) {
		after := v
		switch v := v.(type) {
		case []any:
			after = []any{}
			n += int64(min(len(v), 1))
		case *object:
			after = newObject()
			n += int64(min(len(v.names), 1))
		case int64:
			after = int64(0)
			n += int64(min(uint64(v), 1))
		case float64, wide:
			after = int64(0)
			n++
		}
		return after, nilReply, true
	})
	if isError(r) && !strings.HasPrefix(text(r), "ERR Path") {
		return r
	}
	return intReply(n)
}
