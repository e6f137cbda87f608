package command

import (
	"errors"
	"fmt"
	"time"
)

// NoExpiry is the lifetime reported for a key or a field that does not
// expire.
const NoExpiry time.Duration = -1

// option is one optional part of a command: its token, perhaps an argument,
// and the group of options of which only one may be given.
type option struct {
	token, arg string
	err        error
	group      group
	hasArg     bool
	once       bool // makes a repeatable write unrepeatable
}

type group uint8

const (
	groupLifetime group = 1 + iota
	groupCondition
	groupCompare // GT or LT
	groupReport  // CH
	groups
)

func (o option) part() option { return o }

type optional interface{ part() option }

// with appends options and refuses two of one group.
func with[T any, O optional](c Command[T], opts []O) Command[T] {
	var seen [groups]string
	for _, opt := range opts {
		if any(opt) == nil {
			return c.fail(errors.New("nil option"))
		}
		o := opt.part()
		if o.err != nil {
			return c.fail(o.err)
		}
		if o.token == "" {
			return c.fail(fmt.Errorf("the zero %T is no option", opt))
		}
		if was := seen[o.group]; was != "" && o.group != 0 {
			return c.fail(fmt.Errorf("%s and %s exclude each other", was, o.token))
		}
		seen[o.group] = o.token
		c.args = append(c.args, o.token)
		if o.hasArg {
			c.args = append(c.args, o.arg)
		}
		if o.once {
			c = c.Once()
		}
	}
	if seen[groupCondition] == "NX" && seen[groupCompare] != "" {
		return c.fail(fmt.Errorf("NX and %s exclude each other", seen[groupCompare]))
	}
	return c
}

// Expiry is a lifetime or a point in time at which a value ends: an option of
// [Set], [SetGet], [MSetEX], [GetEx], [HSetEx] and [HGetEx]. Make one with [EX], [PX],
// [EXAT] or [PXAT].
type Expiry struct{ option }

// EX lets the value live for d, rounded up to a second.
func EX(d time.Duration) Expiry { return expiry("EX", wholeSeconds, d) }

// PX lets the value live for d, rounded up to a millisecond.
func PX(d time.Duration) Expiry { return expiry("PX", wholeMillis, d) }

// EXAT lets the value live until t, rounded down to a second.
func EXAT(t time.Time) Expiry { return expiryAt("EXAT", t.Unix()) }

// PXAT lets the value live until t, rounded down to a millisecond.
func PXAT(t time.Time) Expiry { return expiryAt("PXAT", t.UnixMilli()) }

func expiry(token string, whole func(time.Duration) string, d time.Duration) Expiry {
	o := option{token: token, arg: whole(d), hasArg: true, group: groupLifetime}
	if d <= 0 {
		o.err = fmt.Errorf("%s wants a positive lifetime", token)
	}
	return Expiry{o}
}

func expiryAt(token string, at int64) Expiry {
	o := option{token: token, arg: integer(at), hasArg: true, group: groupLifetime}
	if at <= 0 {
		o.err = fmt.Errorf("%s wants a time after 1970", token)
	}
	return Expiry{o}
}

// wholeSeconds and wholeMillis round up: what is left until some time is
// hardly ever a whole number, and a lifetime must not become none.
func wholeSeconds(d time.Duration) string { return roundedUp(d, time.Second) }

func wholeMillis(d time.Duration) string { return roundedUp(d, time.Millisecond) }

func roundedUp(d, unit time.Duration) string {
	n := int64(d / unit)
	if d > 0 && d%unit != 0 {
		n++
	}
	return integer(n)
}

// Keep is the option that leaves the lifetime of the old value in force, see
// [KeepTTL].
type Keep struct{ option }

// KeepTTL keeps the lifetime that the key or field already has.
func KeepTTL() Keep {
	return Keep{option{token: "KEEPTTL", group: groupLifetime, once: true}}
}

// Forever is the option that removes a lifetime, see [PERSIST].
type Forever struct{ option }

// PERSIST removes the lifetime while reading.
func PERSIST() Forever { return Forever{option{token: "PERSIST", group: groupLifetime}} }

// Existence is a condition on what is there already, see [NX] and [XX]. It
// fits wherever Redis has it: [Set], [MSetEX], [Expire], [ZAdd], [GeoAdd], [JSONSet],
// [HExpire] and their relatives.
type Existence struct{ option }

// NX acts only if there is nothing yet.
func NX() Existence {
	return Existence{option{token: "NX", group: groupCondition, once: true}}
}

// XX acts only if there is something already.
func XX() Existence {
	return Existence{option{token: "XX", group: groupCondition, once: true}}
}

// Compare is a condition on the present value, see [GT] and [LT].
type Compare struct{ option }

// GT acts only if the new lifetime or score is greater than the present one.
func GT() Compare { return Compare{option{token: "GT", group: groupCompare, once: true}} }

// LT acts only if the new lifetime or score is less than the present one.
func LT() Compare { return Compare{option{token: "LT", group: groupCompare, once: true}} }

// Match is a condition on the present content of a key, see [IFEQ], [IFNE],
// [IFDEQ] and [IFDNE]: compare and set, or compare and delete, without a
// script. It is an option of [Set], [SetGet] and [DelEx].
type Match struct{ option }

// IFEQ acts only if the key holds exactly v.
func IFEQ(v any) Match { return match("IFEQ", v) }

// IFNE acts only if the key does not hold exactly v.
func IFNE(v any) Match { return match("IFNE", v) }

// IFDEQ acts only if the [Digest] of the content is digest.
func IFDEQ(digest string) Match { return match("IFDEQ", digest) }

// IFDNE acts only if the [Digest] of the content is not digest.
func IFDNE(digest string) Match { return match("IFDNE", digest) }

func match(token string, v any) Match {
	s, err := Text(v)
	return Match{option{token: token, arg: s, hasArg: true, err: err, group: groupCondition, once: true}}
}

// FieldExistence is a condition on the fields of [HSetEx], see [FNX] and
// [FXX].
type FieldExistence struct{ option }

// FNX sets only if none of the fields exists.
func FNX() FieldExistence {
	return FieldExistence{option{token: "FNX", group: groupCondition, once: true}}
}

// FXX sets only if all of the fields exist.
func FXX() FieldExistence {
	return FieldExistence{option{token: "FXX", group: groupCondition, once: true}}
}

// SetOption is an option of [Set] and [SetGet]: an [Expiry], [KeepTTL], [NX],
// [XX] or a [Match].
type SetOption interface {
	optional
	setOption()
}

func (Expiry) setOption()    {}
func (Keep) setOption()      {}
func (Existence) setOption() {}
func (Match) setOption()     {}

// MSetEXOption is an option of [MSetEX]: an [Expiry], [KeepTTL], [NX] or [XX].
type MSetEXOption interface {
	optional
	mSetEXOption()
}

func (Expiry) mSetEXOption()    {}
func (Keep) mSetEXOption()      {}
func (Existence) mSetEXOption() {}

// GetExOption is an option of [GetEx] and [HGetEx]: an [Expiry] or [PERSIST].
type GetExOption interface {
	optional
	getExOption()
}

func (Expiry) getExOption()  {}
func (Forever) getExOption() {}

// ExpireOption is an option of [Expire] and its relatives: [NX], [XX], [GT]
// or [LT]. XX goes together with GT or LT.
type ExpireOption interface {
	optional
	expireOption()
}

func (Existence) expireOption() {}
func (Compare) expireOption()   {}

// HSetExOption is an option of [HSetEx]: an [Expiry], [KeepTTL], [FNX] or
// [FXX].
type HSetExOption interface {
	optional
	hSetExOption()
}

func (Expiry) hSetExOption()         {}
func (Keep) hSetExOption()           {}
func (FieldExistence) hSetExOption() {}
