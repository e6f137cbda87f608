package engine

import (
	"slices"
	"strings"
)

// loadJSON reads the document of key. ok is false if there is none.
func (e *Engine) loadJSON(key string) (root any, ok bool, bad Reply) {
	switch e.typeOf(key) {
	case "none":
		return nil, false, nilReply
	case jsonType:
	default:
		return nil, false, errorReply("WRONGTYPE Existing key has wrong Redis type")
	}
	root, err := parseJSON(strings.TrimPrefix(text(e.raw("GET", key)), jsonMark))
	if err != nil {
		return nil, false, errorReply("ERR the stored document is damaged")
	}
	return root, true, nilReply
}

func (e *Engine) storeJSON(key string, root any) {
	e.hasJSON = true
	e.raw("SET", key, jsonMark+compact(root), "KEEPTTL")
}

const msgNoDocument = "ERR could not perform this operation on a key that doesn't exist"

func noPath(p jsonPath) Reply { return errorf("ERR Path '%s' does not exist", p.text) }

// atPaths answers for each place of a path: f returns the reply and whether
// the value has the right type. A legacy path answers for its last place.
func (e *Engine) atPaths(key, path string, f func(v any) (Reply, bool), want string) Reply {
	p, bad := parseJSONPath(path)
	if isError(bad) {
		return bad
	}
	root, ok, bad := e.loadJSON(key)
	if isError(bad) || !ok {
		return bad
	}
	places, err := p.locate(root)
	if err != nil {
		return errorf("ERR %v", err)
	}
	r := array()
	for _, place := range places {
		v := valueAt(root, place)
		one, fits := f(v)
		if !fits {
			one = nilReply
			if p.legacy {
				return wrongValue(want, v)
			}
		}
		r.Array = append(r.Array, one)
	}
	return p.shape(r)
}

// shape turns the list of answers into what the kind of path promises.
func (p jsonPath) shape(r Reply) Reply {
	if !p.legacy {
		return r
	}
	if len(r.Array) == 0 {
		return noPath(p)
	}
	return r.Array[len(r.Array)-1]
}

func wrongValue(want string, v any) Reply {
	return errorf("WRONGTYPE wrong type of path value - expected %s but found %s", want, typeName(v))
}

// changeAt lets f change the value at each place of a path.
func (e *Engine) changeAt(key, path, want string, f func(v any) (after any, r Reply, fits bool)) Reply {
	p, bad := parseJSONPath(path)
	if isError(bad) {
		return bad
	}
	root, ok, bad := e.loadJSON(key)
	switch {
	case isError(bad):
		return bad
	case !ok:
		return errorReply(msgNoDocument)
	}
	places, err := p.locate(root)
	if err != nil {
		return errorf("ERR %v", err)
	}
	r := Reply{Kind: array().Kind, Array: make([]Reply, len(places))}
	// From the last to the first: a change then moves no place still to come.
	for i, place := range slices.Backward(places) {
		v := valueAt(root, place)
		after, one, fits := f(v)
		if !fits {
			if p.legacy {
				return wrongValue(want, v)
			}
			r.Array[i] = nilReply
			continue
		}
		r.Array[i] = one
		root = replaceAt(root, place, after)
	}
	if len(places) > 0 {
		e.storeJSON(key, root)
	}
	return p.shape(r)
}

func pathOr(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return rootPath
}

func cmdJSONGet(e *Engine, c *call) Reply {
	var l layout
	args := c.args[2:]
	for len(args) >= 2 {
		switch upper(args[0]) {
		case "INDENT":
			l.indent = args[1]
		case "NEWLINE":
			l.newline = args[1]
		case "SPACE":
			l.space = args[1]
		default:
			return e.jsonGet(c.args[1], args, l)
		}
		args = args[2:]
	}
	return e.jsonGet(c.args[1], args, l)
}

func (e *Engine) jsonGet(key string, paths []string, l layout) Reply {
	if len(paths) == 0 {
		paths = []string{rootPath}
	}
	root, ok, bad := e.loadJSON(key)
	if isError(bad) || !ok {
		return bad
	}
	parsed := make([]jsonPath, len(paths))
	legacy := true
	for i, text := range paths {
		if parsed[i], bad = parseJSONPath(text); isError(bad) {
			return bad
		}
		legacy = legacy && parsed[i].legacy
	}
	out := newObject()
	for _, p := range parsed {
		v, bad := pick(root, p, legacy)
		if isError(bad) {
			return bad
		}
		if len(parsed) == 1 {
			return bulk(printJSON(v, l))
		}
		out.SetValueForKey(p.text, v)
	}
	return bulk(printJSON(out, l))
}

// pick returns what a path selects: a list, or for legacy the first value.
func pick(root any, p jsonPath, legacy bool) (any, Reply) {
	places, err := p.locate(root)
	if err != nil {
		return nil, errorf("ERR %v", err)
	}
	if legacy {
		if len(places) == 0 {
			return nil, noPath(p)
		}
		return valueAt(root, places[0]), nilReply
	}
	values := make([]any, len(places))
	for i, place := range places {
		values[i] = valueAt(root, place)
	}
	return values, nilReply
}

func cmdJSONMGet(e *Engine, c *call) Reply {
	path := c.args[len(c.args)-1]
	r := array()
	for _, key := range c.args[1 : len(c.args)-1] {
		one := e.jsonGet(key, []string{path}, layout{})
		if isError(one) {
			one = nilReply
		}
		r.Array = append(r.Array, one)
	}
	return r
}

func cmdJSONType(e *Engine, c *call) Reply {
	r := e.atPaths(c.args[1], pathOr(c.args, 2), func(v any) (Reply, bool) { return bulk(typeName(v)), true }, "")
	if isError(r) && strings.HasPrefix(text(r), "ERR Path") {
		return nilReply
	}
	return r
}

// cmdJSONLen is STRLEN, ARRLEN, OBJLEN and OBJKEYS.
func cmdJSONLen(e *Engine, c *call) Reply {
	name := strings.TrimPrefix(c.info.Name, "JSON.")
	want := map[string]string{"STRLEN": "string", "ARRLEN": "array", "OBJLEN": "object", "OBJKEYS": "object"}[name]
	return e.atPaths(c.args[1], pathOr(c.args, 2), func(v any) (Reply, bool) {
		switch v := v.(type) {
		case string:
			return intReply(int64(len(v))), name == "STRLEN"
		case []any:
			return intReply(int64(len(v))), name == "ARRLEN"
		case *object:
			if name == "OBJKEYS" {
				return bulks(v.names), true
			}
			return intReply(int64(len(v.names))), name == "OBJLEN"
		}
		return nilReply, false
	}, want)
}

// cmdJSONResp shows a document as the types of RESP.
func cmdJSONResp(e *Engine, c *call) Reply {
	return e.atPaths(c.args[1], pathOr(c.args, 2), func(v any) (Reply, bool) { return respOf(v), true }, "")
}

func respOf(v any) Reply {
	switch v := v.(type) {
	case nil:
		return nilReply
	case bool:
		return status(compact(v))
	case int64:
		return intReply(v)
	case float64:
		return bulk(printFloat(v))
	case wide:
		return bulk(string(v))
	case string:
		return bulk(v)
	case []any:
		r := array(status("["))
		for _, e := range v {
			r.Array = append(r.Array, respOf(e))
		}
		return r
	}
	r := array(status("{"))
	o := v.(*object)
	for _, name := range o.names {
		r.Array = append(r.Array, bulk(name), respOf(o.values[name]))
	}
	return r
}

func cmdJSONMemory(e *Engine, c *call) Reply {
	return e.atPaths(c.args[2], pathOr(c.args, 3), func(v any) (Reply, bool) {
		return intReply(int64(len(compact(v)))), true
	}, "")
}

func cmdJSONHelp(*Engine, *call) Reply {
	return bulks([]string{"MEMORY <key> [path] - reports memory usage", "HELP                - this message"})
}
