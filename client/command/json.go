package command

import (
	"strings"

	"github.com/cldcde/restash/internal/json"
)

// Root is the path of a whole JSON document.
const Root = "$"

// Replies of the JSON commands hold one element for each place that the path
// matches. A path of the old kind, such as "." or ".name", means one place,
// and the replies hold one element then.

// asList makes one reply of the old kind a list of one.
func asList(r Reply) Reply {
	if r.Kind == KindArray || r.Kind == KindError {
		return r
	}
	return Reply{Kind: KindArray, Array: []Reply{r}}
}

func each[T any](elem func(Reply) (T, error)) func(Reply) ([]Maybe[T], error) {
	list := listOf(maybe(elem))
	return func(r Reply) ([]Maybe[T], error) { return list(asList(r)) }
}

var eachInt = each(toInt)

// fromJSON reads JSON text as a T.
func fromJSON[T any](r Reply) (T, error) {
	var v T
	if r.Kind == KindNil {
		return v, ErrNil
	}
	if r.Kind == KindInt {
		return into[T](r)
	}
	if r.Kind != KindBulk && r.Kind != KindStatus {
		return v, mismatch("JSON", r)
	}
	err := json.Unmarshal(r.Bytes, &v)
	return v, err
}

// json appends values as JSON; nil is null.
func (c Command[T]) json(vs ...any) Command[T] {
	for _, v := range vs {
		b, err := json.Marshal(v)
		if err != nil {
			return c.fail(err)
		}
		c = c.add(string(b))
	}
	return c
}

// JSONArrAppend appends values to the arrays at path and returns their new
// lengths; a place that holds no array is not OK.
func JSONArrAppend(key, path string, values ...any) Command[[]Maybe[int64]] {
	return write(eachInt, "JSON.ARRAPPEND", key, path).json(values...).failIf(len(values) == 0, "no values")
}

// JSONArrIndex returns the position of value in the arrays at path, -1 where
// it is not.
func JSONArrIndex(key, path string, value any) Command[[]Maybe[int64]] {
	return read(eachInt, "JSON.ARRINDEX", key, path).json(value)
}

// JSONArrIndexRange is [JSONArrIndex] from position start to before end; an
// end of 0 stands for that of the array.
func JSONArrIndexRange(key, path string, value any, start, end int64) Command[[]Maybe[int64]] {
	return read(eachInt, "JSON.ARRINDEX", key, path).json(value).add(integer(start), integer(end))
}

// JSONArrInsert inserts values into the arrays at path before position i and
// returns their new lengths; a place that holds no array is not OK.
func JSONArrInsert(key, path string, i int64, values ...any) Command[[]Maybe[int64]] {
	return write(eachInt, "JSON.ARRINSERT", key, path, integer(i)).json(values...).
		failIf(len(values) == 0, "no values")
}

// JSONArrLen returns the lengths of the arrays at path; a place that holds no
// array is not OK.
func JSONArrLen(key, path string) Command[[]Maybe[int64]] {
	return read(eachInt, "JSON.ARRLEN", key, path)
}

// JSONArrPop removes the element at position i, -1 for the last, from the
// arrays at path and returns it, read from JSON.
func JSONArrPop[T any](key, path string, i int64) Command[[]Maybe[T]] {
	return write(each(fromJSON[T]), "JSON.ARRPOP", key, path, integer(i))
}

// JSONArrTrim leaves the elements from start to end in the arrays at path,
// both included, and returns their new lengths.
func JSONArrTrim(key, path string, start, end int64) Command[[]Maybe[int64]] {
	return write(eachInt, "JSON.ARRTRIM", key, path, integer(start), integer(end))
}

// JSONClear empties arrays and objects at path, sets numbers to 0, and
// returns how many places changed.
func JSONClear(key, path string) Command[int64] { return repeat(toInt, "JSON.CLEAR", key, path) }

// JSONDebugHelp returns what the server says of JSON.DEBUG.
func JSONDebugHelp() Command[[]string] { return readSub(toStrings, "JSON.DEBUG", "HELP") }

// JSONDebugMemory returns the bytes that the values at path take.
func JSONDebugMemory(key, path string) Command[[]Maybe[int64]] {
	return readSub(eachInt, "JSON.DEBUG", "MEMORY", key, path)
}

// JSONDel deletes the values at path and returns how many there were. A path
// of [Root] deletes the key.
func JSONDel(key, path string) Command[int64] { return write(toInt, "JSON.DEL", key, path) }

// JSONForget is [JSONDel] by another name.
func JSONForget(key, path string) Command[int64] { return write(toInt, "JSON.FORGET", key, path) }

// JSONGet returns what the document at key holds at paths, read from JSON, or
// [ErrNil] if there is no document. With one path that begins with $ the JSON
// is an array of all places; with a path such as "." it is the value itself;
// with several paths it is an object by path.
func JSONGet[T any](key string, paths ...string) Command[T] {
	return read(fromJSON[T], "JSON.GET", key).add(paths...)
}

// JSONMerge merges value into the document at key as RFC 7396 says.
func JSONMerge(key, path string, value any) Command[OK] {
	return repeat(toOK, "JSON.MERGE", key, path).json(value)
}

// JSONMGet returns what the documents at keys hold at path, read from JSON;
// those of missing documents are not OK.
func JSONMGet[T any](path string, keys ...string) Command[[]Maybe[T]] {
	return read(listOf(maybe(fromJSON[T])), "JSON.MGET").add(keys...).add(path).
		failIf(len(keys) == 0, "no keys")
}

// JSONEntry is a value for a place in a document.
type JSONEntry struct {
	Key, Path string
	Value     any
}

// JSONMSet sets all entries at once.
func JSONMSet(entries ...JSONEntry) Command[OK] {
	c := repeat(toOK, "JSON.MSET").failIf(len(entries) == 0, "no entries")
	for _, e := range entries {
		c = c.add(e.Key, e.Path).json(e.Value)
	}
	return c
}

// JSONNumIncrBy adds f to the numbers at path and returns the sums; a place
// that holds no number is not OK.
func JSONNumIncrBy(key, path string, f float64) Command[[]Maybe[float64]] {
	return write(toNumbers, "JSON.NUMINCRBY", key, path, Float(f))
}

// JSONNumMultBy multiplies the numbers at path by f and returns the products;
// a place that holds no number is not OK.
func JSONNumMultBy(key, path string, f float64) Command[[]Maybe[float64]] {
	return write(toNumbers, "JSON.NUMMULTBY", key, path, Float(f))
}

// toNumbers reads JSON text: an array of numbers and nulls, or one number.
func toNumbers(r Reply) ([]Maybe[float64], error) {
	if r.Kind == KindArray || r.Kind == KindInt {
		return each(toFloat)(r)
	}
	text, err := toString(r)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	var places []*float64
	if err := json.Unmarshal([]byte(text), &places); err != nil {
		return nil, err
	}
	out := make([]Maybe[float64], len(places))
	for i, p := range places {
		if p != nil {
			out[i] = Maybe[float64]{Value: *p, OK: true}
		}
	}
	return out, nil
}

// JSONObjKeys returns the names in the objects at path; a place that holds no
// object is not OK.
func JSONObjKeys(key, path string) Command[[]Maybe[[]string]] {
	return read(toKeyLists, "JSON.OBJKEYS", key, path)
}

// toKeyLists reads a list of lists, or one list of names.
func toKeyLists(r Reply) ([]Maybe[[]string], error) {
	if r.Kind == KindArray && (len(r.Array) == 0 || r.Array[0].Kind == KindBulk) {
		r = Reply{Kind: KindArray, Array: []Reply{r}}
	}
	return each(toStrings)(r)
}

// JSONObjLen returns the sizes of the objects at path; a place that holds no
// object is not OK.
func JSONObjLen(key, path string) Command[[]Maybe[int64]] {
	return read(eachInt, "JSON.OBJLEN", key, path)
}

// JSONResp returns the values at path in the shape of Redis replies: nil,
// int64, string and []any.
func JSONResp(key, path string) Command[any] { return read(tree, "JSON.RESP", key, path) }

// JSONSetOption is an option of [JSONSet]: [NX] or [XX].
type JSONSetOption interface {
	optional
	jsonSetOption()
}

func (Existence) jsonSetOption() {}

// JSONSet sets the values at path to value, as JSON, and reports whether it
// did: an option may prevent it, or a path without a parent.
func JSONSet(key, path string, value any, opts ...JSONSetOption) Command[bool] {
	return with(repeat(okOrNil, "JSON.SET", key, path).json(value), opts)
}

// JSONStrAppend appends text to the strings at path and returns their new
// lengths; a place that holds no string is not OK.
func JSONStrAppend(key, path, text string) Command[[]Maybe[int64]] {
	return write(eachInt, "JSON.STRAPPEND", key, path).json(text)
}

// JSONStrLen returns the lengths of the strings at path; a place that holds
// no string is not OK.
func JSONStrLen(key, path string) Command[[]Maybe[int64]] {
	return read(eachInt, "JSON.STRLEN", key, path)
}

// JSONToggle inverts the booleans at path and returns what they are now; a
// place that holds no boolean is not OK.
func JSONToggle(key, path string) Command[[]Maybe[bool]] {
	return write(each(toTruth), "JSON.TOGGLE", key, path)
}

// JSONType returns the kinds of the values at path: object, array, string,
// integer, number, boolean, null.
func JSONType(key, path string) Command[[]Maybe[string]] {
	return read(each(toString), "JSON.TYPE", key, path)
}
