package command

import "fmt"

// Side is an end of a list.
type Side string

// The ends of a list.
const (
	LEFT  Side = "LEFT"
	RIGHT Side = "RIGHT"
)

func (c Command[T]) sides(sides ...Side) Command[T] {
	for _, s := range sides {
		if s != LEFT && s != RIGHT {
			return c.fail(fmt.Errorf("unknown side %q", string(s)))
		}
	}
	return c
}

// LIndex returns the element at position i of the list at key, or [ErrNil] if
// there is none; negative positions count from the end.
func LIndex(key string, i int64) Command[string] {
	return read(toString, "LINDEX", key, integer(i))
}

// LInsertBefore inserts value before the first element that equals pivot and
// returns the new length: -1 if there is no pivot, 0 if there is no list.
func LInsertBefore(key string, pivot, value any) Command[int64] {
	return write(toInt, "LINSERT", key, "BEFORE").value(pivot).value(value)
}

// LInsertAfter is [LInsertBefore] after the pivot.
func LInsertAfter(key string, pivot, value any) Command[int64] {
	return write(toInt, "LINSERT", key, "AFTER").value(pivot).value(value)
}

// LLen returns the length of the list at key.
func LLen(key string) Command[int64] { return read(toInt, "LLEN", key) }

// LMove moves an element from an end of the list at source to an end of the
// one at destination and returns it, or [ErrNil] if source is empty.
func LMove(source, destination string, from, to Side) Command[string] {
	return write(toString, "LMOVE", source, destination, string(from), string(to)).sides(from, to)
}

// Popped is what [LMPop] took and from which list.
type Popped struct {
	Key    string
	Values []string
}

// LMPop removes up to n elements from an end of the first list of keys that
// has any, and returns them, or [ErrNil] if all are empty.
func LMPop(from Side, n int, keys ...string) Command[Popped] {
	return write(toPopped, "LMPOP", count(len(keys))).add(keys...).add(string(from), "COUNT", count(n)).
		sides(from).failIf(len(keys) == 0, "no keys")
}

func toPopped(r Reply) (Popped, error) {
	if r.Kind == KindNil {
		return Popped{}, ErrNil
	}
	if r.Kind != KindArray || len(r.Array) != 2 {
		return Popped{}, mismatch("a key and elements", r)
	}
	key, err := toString(r.Array[0])
	if err != nil {
		return Popped{}, err
	}
	values, err := toStrings(r.Array[1])
	return Popped{Key: key, Values: values}, err
}

// LPop removes the first element of the list at key and returns it, or
// [ErrNil] if the list is empty.
func LPop(key string) Command[string] { return write(toString, "LPOP", key) }

// LPopN removes up to n elements from the beginning of the list at key and
// returns them; none if there is no list.
func LPopN(key string, n int) Command[[]string] { return write(toStrings, "LPOP", key, count(n)) }

// LPosArgs says which matches [LPos] and [LPosN] look for. The zero value is
// the first of the whole list.
type LPosArgs struct {
	Rank   int64 // 2 stands for the second match, -1 for the last
	MaxLen int64 // how many elements are compared at most; 0 for all
}

// LPos returns the position of an element that equals value, or [ErrNil] if
// there is none.
func LPos(key string, value any, args LPosArgs) Command[int64] {
	return read(toInt, "LPOS", key).value(value).lpos(args)
}

// LPosN returns the positions of up to n elements that equal value, of all if
// n is 0; see [LPos].
func LPosN(key string, value any, n int, args LPosArgs) Command[[]int64] {
	return read(toInts, "LPOS", key).value(value).add("COUNT", count(n)).lpos(args)
}

func (c Command[T]) lpos(args LPosArgs) Command[T] {
	if args.Rank != 0 {
		c = c.add("RANK", integer(args.Rank))
	}
	if args.MaxLen != 0 {
		c = c.add("MAXLEN", integer(args.MaxLen))
	}
	return c
}

// LPush puts values, one after another, at the beginning of the list at key
// and returns its new length.
func LPush(key string, values ...any) Command[int64] {
	return write(toInt, "LPUSH", key).values(values).failIf(len(values) == 0, "no values")
}

// LPushX is [LPush] if there is a list; else it does nothing and returns 0.
func LPushX(key string, values ...any) Command[int64] {
	return write(toInt, "LPUSHX", key).values(values).failIf(len(values) == 0, "no values")
}

// LRange returns the elements from start to end of the list at key, both
// included; negative positions count from the end.
func LRange(key string, start, end int64) Command[[]string] {
	return read(toStrings, "LRANGE", key, integer(start), integer(end))
}

// LRem removes elements that equal value: the first n, the last -n if n is
// negative, all if it is 0. It returns how many there were.
func LRem(key string, n int64, value any) Command[int64] {
	return write(toInt, "LREM", key, integer(n)).value(value)
}

// LSet sets the element at position i of the list at key. A position outside is
// an error.
func LSet(key string, i int64, value any) Command[OK] {
	return repeat(toOK, "LSET", key, integer(i)).value(value)
}

// LTrim removes all elements but those from start to end, both included.
func LTrim(key string, start, end int64) Command[OK] {
	return write(toOK, "LTRIM", key, integer(start), integer(end))
}

// RPop removes the last element of the list at key and returns it, or
// [ErrNil] if the list is empty.
func RPop(key string) Command[string] { return write(toString, "RPOP", key) }

// RPopN removes up to n elements from the end of the list at key and returns
// them, the last first; none if there is no list.
func RPopN(key string, n int) Command[[]string] { return write(toStrings, "RPOP", key, count(n)) }

// RPopLPush moves the last element of the list at source to the beginning of
// the one at destination and returns it, or [ErrNil] if source is empty.
// [LMove] can do more.
func RPopLPush(source, destination string) Command[string] {
	return write(toString, "RPOPLPUSH", source, destination)
}

// RPush puts values at the end of the list at key and returns its new length.
func RPush(key string, values ...any) Command[int64] {
	return write(toInt, "RPUSH", key).values(values).failIf(len(values) == 0, "no values")
}

// RPushX is [RPush] if there is a list; else it does nothing and returns 0.
func RPushX(key string, values ...any) Command[int64] {
	return write(toInt, "RPUSHX", key).values(values).failIf(len(values) == 0, "no values")
}
