package command

import "time"

// FieldResult is what became of one field when its lifetime was changed.
type FieldResult int64

// The values of [FieldResult].
const (
	NoField  FieldResult = -2 // no such field or key
	NoTTL    FieldResult = -1 // HPERSIST: the field had no lifetime
	NotMet   FieldResult = 0  // a condition prevented it
	Done     FieldResult = 1  // the lifetime was changed
	Deleted  FieldResult = 2  // the lifetime was over already, the field is gone
	noResult             = NoField
)

var toFieldResults = listOf(func(r Reply) (FieldResult, error) {
	n, err := toInt(r)
	return FieldResult(n), err
})

// fieldResults reads one result per field; a missing key may be answered by
// nil for all.
func fieldResults(n int) func(Reply) ([]FieldResult, error) {
	return func(r Reply) ([]FieldResult, error) {
		if r.Kind != KindNil {
			return toFieldResults(r)
		}
		out := make([]FieldResult, n)
		for i := range out {
			out[i] = noResult
		}
		return out, nil
	}
}

// fields appends FIELDS, their number and their names.
func (c Command[T]) fields(fields []string) Command[T] {
	return c.add("FIELDS", count(len(fields))).add(fields...).failIf(len(fields) == 0, "no fields")
}

// HExpire gives fields of the hash at key the lifetime d, rounded up to a second,
// and says what became of each. Options are [NX], [XX], [GT] or [LT].
func HExpire(key string, d time.Duration, fields []string, opts ...ExpireOption) Command[[]FieldResult] {
	return with(repeat(fieldResults(len(fields)), "HEXPIRE", key, wholeSeconds(d)), opts).fields(fields)
}

// HExpireAt lets fields of the hash at key live until t, rounded down to a
// second; see [HExpire].
func HExpireAt(key string, t time.Time, fields []string, opts ...ExpireOption) Command[[]FieldResult] {
	return with(repeat(fieldResults(len(fields)), "HEXPIREAT", key, integer(t.Unix())), opts).fields(fields)
}

// HPExpire is [HExpire] to the millisecond.
func HPExpire(key string, d time.Duration, fields []string, opts ...ExpireOption) Command[[]FieldResult] {
	return with(repeat(fieldResults(len(fields)), "HPEXPIRE", key, wholeMillis(d)), opts).fields(fields)
}

// HPExpireAt is [HExpireAt] to the millisecond.
func HPExpireAt(key string, t time.Time, fields []string, opts ...ExpireOption) Command[[]FieldResult] {
	return with(repeat(fieldResults(len(fields)), "HPEXPIREAT", key, integer(t.UnixMilli())), opts).fields(fields)
}

// HPersist removes the lifetime of fields and says what became of each.
func HPersist(key string, fields ...string) Command[[]FieldResult] {
	return repeat(fieldResults(len(fields)), "HPERSIST", key).fields(fields)
}

// HTTL returns how long fields will live, to the second: [NoExpiry] for one
// that does not expire; one that does not exist is not OK.
func HTTL(key string, fields ...string) Command[[]Maybe[time.Duration]] {
	return read(perField(len(fields), seconds), "HTTL", key).fields(fields)
}

// HPTTL is [HTTL] to the millisecond.
func HPTTL(key string, fields ...string) Command[[]Maybe[time.Duration]] {
	return read(perField(len(fields), milliseconds), "HPTTL", key).fields(fields)
}

// HExpireTime returns when fields expire, to the second: the zero time for
// one that does not; one that does not exist is not OK.
func HExpireTime(key string, fields ...string) Command[[]Maybe[time.Time]] {
	return read(perField(len(fields), unixSeconds), "HEXPIRETIME", key).fields(fields)
}

// HPExpireTime is [HExpireTime] to the millisecond.
func HPExpireTime(key string, fields ...string) Command[[]Maybe[time.Time]] {
	return read(perField(len(fields), unixMillis), "HPEXPIRETIME", key).fields(fields)
}

// perField reads one value per field; nil for all stands for a missing key.
func perField[T any](n int, elem func(Reply) (T, error)) func(Reply) ([]Maybe[T], error) {
	list := listOf(orNil(elem))
	return func(r Reply) ([]Maybe[T], error) {
		if r.Kind == KindNil {
			return make([]Maybe[T], n), nil
		}
		return list(r)
	}
}

// HGetDel returns the values of fields and deletes them; those of missing
// fields are not OK.
func HGetDel(key string, fields ...string) Command[[]Maybe[string]] {
	return write(toMaybeStrings, "HGETDEL", key).fields(fields)
}

// HGetEx returns the values of fields and changes their lifetime; those of
// missing fields are not OK. Without an option the lifetime stays.
func HGetEx(key string, fields []string, opts ...GetExOption) Command[[]Maybe[string]] {
	return with(repeat(toMaybeStrings, "HGETEX", key), opts).fields(fields)
}

// HSetEx sets fields of the hash at key with a lifetime and reports whether
// it did: [FNX] and [FXX] may prevent it.
func HSetEx(key string, fields map[string]any, opts ...HSetExOption) Command[bool] {
	c := with(repeat(toBool, "HSETEX", key), opts)
	return c.add("FIELDS", count(len(fields))).mapping(fields)
}
