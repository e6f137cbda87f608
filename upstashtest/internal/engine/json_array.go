package engine

import (
	"slices"
)

func parseAll(words []string) ([]any, Reply) {
	values := make([]any, len(words))
	for i, w := range words {
		v, err := parseJSON(w)
		if err != nil {
			return nil, errorReply("ERR failed to parse JSON value")
		}
		values[i] = v
	}
	return values, nilReply
}

func cmdJSONArrAppend(e *Engine, c *call) Reply {
	values, bad := parseAll(c.args[3:])
	if isError(bad) {
		return bad
	}
	return e.changeAt(c.args[1], c.args[2], "array", func(v any) (any, Reply, bool) {
		list, ok := v.([]any)
		list = append(slices.Clip(list), values...)
		return list, intReply(int64(len(list))), ok
	})
}

func cmdJSONArrInsert(e *Engine, c *call) Reply {
	at, err := strictAtoi(c.args[3])
	if err != nil {
		return errorReply(msgNotInt)
	}
	values, bad := parseAll(c.args[4:])
	if isError(bad) {
		return bad
	}
	outside := false
	r := e.changeAt(c.args[1], c.args[2], "array", func(v any) (any, Reply, bool) {
		list, ok := v.([]any)
		if !ok {
			return nil, nilReply, false
		}
		i := at
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i > len(list) {
			outside = true
			return list, nilReply, true
		}
		list = slices.Insert(slices.Clone(list), i, values...)
		return list, intReply(int64(len(list))), true
	})
	if outside {
		return errorReply(msgOutOfRange)
	}
	return r
}

func cmdJSONArrPop(e *Engine, c *call) Reply {
	at := -1
	if len(c.args) > 3 {
		var err error
		if at, err = strictAtoi(c.args[3]); err != nil {
			return errorReply(msgNotInt)
		}
	}
	return e.changeAt(c.args[1], pathOr(c.args, 2), "array", func(v any) (any, Reply, bool) {
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			return v, nilReply, ok
		}
		i := at
		if i < 0 {
			i += len(list)
		}
		i = min(max(i, 0), len(list)-1)
		popped := list[i]
		return slices.Delete(slices.Clone(list), i, i+1), bulk(compact(popped)), true
	})
}

func cmdJSONArrTrim(e *Engine, c *call) Reply {
	start, err1 := strictAtoi(c.args[3])
	stop, err2 := strictAtoi(c.args[4])
	if err1 != nil || err2 != nil {
		return errorReply(msgNotInt)
	}
	return e.changeAt(c.args[1], c.args[2], "array", func(v any) (any, Reply, bool) {
		list, ok := v.([]any)
		if !ok {
			return nil, nilReply, false
		}
		from, to := span(start, stop, len(list))
		list = slices.Clone(list[from:to])
		return list, intReply(int64(len(list))), true
	})
}

// span turns an inclusive range with negative ends into a slice's bounds.
func span(start, stop, n int) (from, to int) {
	if start < 0 {
		start += n
	}
	if stop < 0 {
		stop += n
	}
	start = max(start, 0)
	stop = min(stop, n-1)
	if start > stop {
		return 0, 0
	}
	return start, stop + 1
}

// cmdJSONArrIndex looks from start up to stop, which is not included; 0 is the
// end.
func cmdJSONArrIndex(e *Engine, c *call) Reply {
	want, err := parseJSON(c.args[3])
	if err != nil {
		return errorReply("ERR failed to parse JSON value")
	}
	bounds := []int{0, 0}
	for i, word := range c.args[4:min(len(c.args), 6)] {
		if bounds[i], err = strictAtoi(word); err != nil {
			return errorReply(msgNotInt)
		}
	}
	return e.atPaths(c.args[1], c.args[2], func(v any) (Reply, bool) {
		list, ok := v.([]any)
		if !ok {
			return nilReply, false
		}
		start, stop := bounds[0], bounds[1]
		if start < 0 {
			start = max(start+len(list), 0)
		}
		if stop <= 0 {
			stop += len(list)
		}
		for i := start; i < min(stop, len(list)); i++ {
			if equalJSON(list[i], want) {
				return intReply(int64(i)), true
			}
		}
		return intReply(-1), true
	}, "array")
}
