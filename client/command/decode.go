package command

import (
	"strconv"
	"time"
)

// toString copies: a kept string must not hold the whole answer alive.
func toString(r Reply) (string, error) {
	switch r.Kind {
	case KindBulk, KindStatus:
		return string(r.Bytes), nil
	case KindInt:
		return strconv.FormatInt(r.Int, 10), nil
	case KindNil:
		return "", ErrNil
	}
	return "", mismatch("a string", r)
}

func toInt(r Reply) (int64, error) {
	switch r.Kind {
	case KindInt:
		return r.Int, nil
	case KindBulk, KindStatus:
		if n, err := strconv.ParseInt(string(r.Bytes), 10, 64); err == nil {
			return n, nil
		}
	case KindNil:
		return 0, ErrNil
	}
	return 0, mismatch("an integer", r)
}

func toFloat(r Reply) (float64, error) {
	switch r.Kind {
	case KindBulk, KindStatus:
		if f, err := strconv.ParseFloat(string(r.Bytes), 64); err == nil {
			return f, nil
		}
	case KindInt:
		return float64(r.Int), nil
	case KindNil:
		return 0, ErrNil
	}
	return 0, mismatch("a number", r)
}

// toBool reads the 1 and 0 of commands that answer whether something was
// done.
func toBool(r Reply) (bool, error) {
	n, err := toInt(r)
	return n != 0, err
}

// toOK reads the reply of a command that answers OK or an error.
func toOK(r Reply) (OK, error) {
	if r.Kind == KindStatus || r.Kind == KindBulk {
		return OK{}, nil
	}
	return OK{}, mismatch("OK", r)
}

// okOrNil reads a reply that is OK if it was done and nil if a condition
// prevented that.
func okOrNil(r Reply) (bool, error) {
	switch r.Kind {
	case KindStatus, KindBulk:
		return true, nil
	case KindNil:
		return false, nil
	}
	return false, mismatch("OK or nil", r)
}

// toTTL reads a lifetime in units of unit. Redis answers -1 for a key that
// does not expire and -2 for one that does not exist.
func toTTL(unit time.Duration) func(Reply) (time.Duration, error) {
	return func(r Reply) (time.Duration, error) {
		n, err := toInt(r)
		if err != nil {
			return 0, err
		}
		return ttl(n, unit)
	}
}

func ttl(n int64, unit time.Duration) (time.Duration, error) {
	switch {
	case n == -1:
		return NoExpiry, nil
	case n < 0:
		return 0, ErrNil
	}
	return time.Duration(n) * unit, nil
}

// toInstant reads a point in time in units of unit since 1970; the zero time
// stands for a key that does not expire.
func toInstant(unit time.Duration) func(Reply) (time.Time, error) {
	return func(r Reply) (time.Time, error) {
		n, err := toInt(r)
		if err != nil {
			return time.Time{}, err
		}
		return instant(n, unit)
	}
}

func instant(n int64, unit time.Duration) (time.Time, error) {
	switch {
	case n == -1:
		return time.Time{}, nil
	case n < 0:
		return time.Time{}, ErrNil
	case unit == time.Second:
		return time.Unix(n, 0), nil
	}
	return time.UnixMilli(n), nil
}

var (
	seconds      = toTTL(time.Second)
	milliseconds = toTTL(time.Millisecond)
	unixSeconds  = toInstant(time.Second)
	unixMillis   = toInstant(time.Millisecond)
)

// listOf reads an array whose elements are all read by elem.
func listOf[T any](elem func(Reply) (T, error)) func(Reply) ([]T, error) {
	return func(r Reply) ([]T, error) {
		if r.Kind != KindArray {
			if r.Kind == KindNil {
				return nil, nil
			}
			return nil, mismatch("an array", r)
		}
		out := make([]T, len(r.Array))
		for i, e := range r.Array {
			v, err := elem(e)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}
}

// maybe makes nil an ordinary answer.
func maybe[T any](elem func(Reply) (T, error)) func(Reply) (Maybe[T], error) {
	return func(r Reply) (Maybe[T], error) {
		if r.Kind == KindNil {
			return Maybe[T]{}, nil
		}
		v, err := elem(r)
		return Maybe[T]{Value: v, OK: err == nil}, err
	}
}

// orNil turns ErrNil of a decoder into an absent value, for replies that say
// "there is none" by a number.
func orNil[T any](elem func(Reply) (T, error)) func(Reply) (Maybe[T], error) {
	return func(r Reply) (Maybe[T], error) {
		v, err := elem(r)
		if err == ErrNil {
			return Maybe[T]{}, nil
		}
		return Maybe[T]{Value: v, OK: err == nil}, err
	}
}

var (
	toStrings      = listOf(toString)
	toMaybeStrings = listOf(maybe(toString))
	toInts         = listOf(toInt)
	toMaybeInts    = listOf(maybe(toInt))
	toBools        = listOf(toBool)
	toMaybeFloats  = listOf(maybe(toFloat))
)

// toMap reads an array of names and values in turn.
func toMap(r Reply) (map[string]string, error) {
	if r.Kind == KindNil {
		return map[string]string{}, nil
	}
	if r.Kind != KindArray || len(r.Array)%2 != 0 {
		return nil, mismatch("an array of pairs", r)
	}
	out := make(map[string]string, len(r.Array)/2)
	for i := 0; i < len(r.Array); i += 2 {
		k, err := toString(r.Array[i])
		if err != nil {
			return nil, err
		}
		v, err := toString(r.Array[i+1])
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

// toPairs is toMap where the order or a repeated name matters.
func toPairs(r Reply) ([]Pair, error) {
	if r.Kind == KindNil {
		return nil, nil
	}
	if r.Kind != KindArray {
		return nil, mismatch("an array of pairs", r)
	}
	flat := r.Array
	if len(flat) > 0 && flat[0].Kind == KindArray { // RESP3 shape
		flat = flatten(flat)
	}
	if len(flat)%2 != 0 {
		return nil, mismatch("an array of pairs", r)
	}
	out := make([]Pair, 0, len(flat)/2)
	for i := 0; i < len(flat); i += 2 {
		k, err := toString(flat[i])
		if err != nil {
			return nil, err
		}
		v, err := toString(flat[i+1])
		if err != nil {
			return nil, err
		}
		out = append(out, Pair{Field: k, Value: v})
	}
	return out, nil
}

func flatten(rows []Reply) []Reply {
	var flat []Reply
	for _, row := range rows {
		flat = append(flat, row.Array...)
	}
	return flat
}

// Pair is a field and its value where order matters or a field may come
// twice.
type Pair struct {
	Field, Value string
}
