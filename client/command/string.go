package command

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// Append appends value to the string at key and returns the new length in
// bytes.
func Append(key string, value any) Command[int64] {
	return write(toInt, "APPEND", key).value(value)
}

// Decr subtracts 1 from the number at key and returns the difference.
func Decr(key string) Command[int64] { return write(toInt, "DECR", key) }

// DecrBy subtracts n from the number at key and returns the difference.
func DecrBy(key string, n int64) Command[int64] { return write(toInt, "DECRBY", key, integer(n)) }

// DelEx deletes key if the condition holds and reports whether it did. It is
// the safe end of a lock: DelEx(key, IFEQ(token)).
func DelEx(key string, condition Match) Command[bool] {
	return with(write(toBool, "DELEX", key), []Match{condition})
}

// Digest returns the hash of the content of key for [IFDEQ] and [IFDNE], or
// [ErrNil] if there is none.
func Digest(key string) Command[string] { return read(toString, "DIGEST", key) }

// Get returns the value of key, or [ErrNil] if there is none.
func Get(key string) Command[string] { return read(toString, "GET", key) }

// GetDel returns the value of key and deletes it, or [ErrNil] if there is
// none.
func GetDel(key string) Command[string] { return write(toString, "GETDEL", key) }

// GetEx returns the value of key and changes its lifetime, or [ErrNil] if
// there is none. Without an option the lifetime stays.
func GetEx(key string, opts ...GetExOption) Command[string] {
	return with(repeat(toString, "GETEX", key), opts)
}

// GetRange returns the bytes from start to end, both included; negative
// positions count from the end. A missing key gives "".
func GetRange(key string, start, end int64) Command[string] {
	return read(toString, "GETRANGE", key, integer(start), integer(end))
}

// GetSet stores value at key and returns the old value, or [ErrNil] if there
// was none. [SetGet] does the same and takes options.
func GetSet(key string, value any) Command[string] {
	return write(toString, "GETSET", key).value(value)
}

// Incr adds 1 to the number at key and returns the sum.
func Incr(key string) Command[int64] { return write(toInt, "INCR", key) }

// IncrBy adds n to the number at key and returns the sum.
func IncrBy(key string, n int64) Command[int64] { return write(toInt, "INCRBY", key, integer(n)) }

// IncrByFloat adds f to the number at key and returns the sum.
func IncrByFloat(key string, f float64) Command[float64] {
	return write(toFloat, "INCRBYFLOAT", key, Float(f))
}

// MGet returns the values of keys in their order; those of missing keys are
// not OK. It is billed as one command however many keys there are.
func MGet(keys ...string) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "MGET").add(keys...).failIf(len(keys) == 0, "no keys")
}

// MSet stores all values at once. Lifetimes that the keys had are removed.
func MSet(values map[string]any) Command[OK] {
	return repeat(toOK, "MSET").mapping(values)
}

// MSetEX stores all values at once, with one lifetime for all, and reports
// whether it did: [NX] wants none of the keys to exist, [XX] all of them, and
// otherwise nothing is stored. Without an option the values do not expire; one
// of [KeepTTL] keeps the lifetime of each key. [EXAT] and [PXAT] in the past
// delete the keys and report true. It is billed as one command.
func MSetEX(values map[string]any, opts ...MSetEXOption) Command[bool] {
	return with(repeat(toBool, "MSETEX", count(len(values))).mapping(values), opts)
}

// MSetNX stores all values if none of the keys exists, and reports whether it
// did.
func MSetNX(values map[string]any) Command[bool] {
	return write(toBool, "MSETNX").mapping(values)
}

// PSetEX stores value at key for the lifetime d, rounded up to a millisecond.
func PSetEX(key string, d time.Duration, value any) Command[OK] {
	return repeat(toOK, "PSETEX", key, wholeMillis(d)).value(value)
}

// Set stores value at key. It reports false if [NX], [XX] or a [Match]
// prevented that. Without [EX], [PX], [EXAT], [PXAT] or [KeepTTL] the value
// does not expire. A plain Set may be sent twice by the transport; one with a
// condition or KeepTTL never is.
func Set(key string, value any, opts ...SetOption) Command[bool] {
	v, err := Text(value)
	return with(repeat(okOrNil, "SET", key, v).fail(err), opts)
}

// SetGet stores value as [Set] does and returns the old value, which is not
// OK if there was none.
func SetGet(key string, value any, opts ...SetOption) Command[Maybe[string]] {
	v, err := Text(value)
	return with(write(maybe(toString), "SET", key, v, "GET").fail(err), opts)
}

// SetEX stores value at key for the lifetime d, rounded up to a second.
func SetEX(key string, d time.Duration, value any) Command[OK] {
	return repeat(toOK, "SETEX", key, wholeSeconds(d)).value(value)
}

// SetNX stores value at key if there is none, and reports whether it did. With a
// lifetime it is sent as SET with NX, in one step as without.
func SetNX(key string, value any, lifetime ...Expiry) Command[bool] {
	c := write(toBool, "SETNX", key).value(value)
	if len(lifetime) > 0 {
		c.args[0], c.decode = "SET", okOrNil
		c = with(c.add("NX"), lifetime)
	}
	return c
}

// SetRange overwrites the string at key from offset on and returns its new
// length in bytes.
func SetRange(key string, offset int64, value any) Command[int64] {
	return repeat(toInt, "SETRANGE", key, integer(offset)).value(value)
}

// StrLen returns the length of the string at key in bytes, 0 if there is
// none.
func StrLen(key string) Command[int64] { return read(toInt, "STRLEN", key) }

// mapping appends names and values, sorted by name: equal commands must be
// equal on the wire.
func (c Command[T]) mapping(values map[string]any) Command[T] {
	if len(values) == 0 {
		return c.fail(errors.New("no values"))
	}
	for _, k := range slices.Sorted(maps.Keys(values)) {
		c = c.add(k).value(values[k])
	}
	return c
}
