package rfc9111

import (
	"math"
	"strings"
	"time"
)

// Seconds is a delta-seconds value of RFC 9111 section 1.2.2.
type Seconds int64

const (
	// Unset marks a directive that is not there.
	Unset Seconds = -1
	// MaxSeconds is what greater values count as; RFC 9111 section 1.2.2
	// names it, and it keeps durations far from overflow.
	MaxSeconds Seconds = math.MaxInt32 + 1
)

func (s Seconds) Duration() time.Duration { return time.Duration(max(s, 0)) * time.Second }

// Directives is a parsed Cache-Control field, of a request or a response.
type Directives struct {
	NoStore, NoCache, NoTransform, Private, Public bool
	MustRevalidate, ProxyRevalidate                bool
	MustUnderstand, Immutable, OnlyIfCached        bool
	// MaxStaleAny is max-stale without a value: any staleness will do.
	MaxStaleAny bool
	// NoCacheFields and privateFields are the field names of the qualified
	// forms, which leave noCache and private false.
	NoCacheFields, PrivateFields []string

	MaxAge, SMaxAge, MinFresh, MaxStale Seconds
	StaleWhileRevalidate, StaleIfError  Seconds

	// Broken says that the field could not be taken apart; nothing is stored
	// on the word of such a field.
	Broken bool
}

// NoDirectives is what an absent field says.
func NoDirectives() Directives {
	return Directives{
		MaxAge: Unset, SMaxAge: Unset, MinFresh: Unset, MaxStale: Unset,
		StaleWhileRevalidate: Unset, StaleIfError: Unset,
	}
}

// ParseCacheControl parses the lines of a Cache-Control field (RFC 9111
// section 5.2). Of a directive given twice the first value counts; a lifetime
// that is no number counts as zero, so that the response is stale.
func ParseCacheControl(lines []string) Directives {
	d := NoDirectives()
	for _, line := range lines {
		for line != "" {
			var name, value string
			var quoted, ok bool
			name, value, quoted, line, ok = nextDirective(line)
			if !ok {
				d.Broken = true
				break
			}
			if name != "" {
				d.set(strings.ToLower(name), value, quoted)
			}
		}
	}
	return d
}

// nextDirective cuts the first directive off s. ok is false where a quoted
// string has no end.
func nextDirective(s string) (name, value string, quoted bool, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t,")
	i := strings.IndexAny(s, "=,\"")
	if i < 0 || s[i] == ',' {
		name, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(name), "", false, rest, true
	}
	if s[i] == '"' { // a quote where a name should be: skip it whole
		_, rest, ok = quotedString(s[i:])
		_, rest, _ = strings.Cut(rest, ",")
		return "", "", false, rest, ok
	}
	name, s = s[:i], s[i+1:]
	if trimmed := strings.TrimLeft(s, " \t"); strings.HasPrefix(trimmed, `"`) {
		value, rest, ok = quotedString(trimmed)
		tail, after, _ := strings.Cut(rest, ",")
		if strings.TrimSpace(tail) != "" || len(trimmed) != len(s) {
			value = "\x00" + value // something beside the string: no valid value
		}
		return name, value, true, after, ok
	}
	value, rest, _ = strings.Cut(s, ",")
	return name, strings.TrimRight(value, " \t"), false, rest, true
}

// quotedString reads the quoted-string that s begins with (RFC 9110 section 5.6.4).
func quotedString(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), "", false
}

func (d *Directives) set(name, value string, quoted bool) {
	switch name {
	case "no-cache":
		d.qualified(&d.NoCache, &d.NoCacheFields, value, quoted)
		return
	case "private":
		d.qualified(&d.Private, &d.PrivateFields, value, quoted)
		return
	case "only-if-cached":
		d.OnlyIfCached = true
		return
	case "max-stale":
		if d.MaxStaleAny = d.MaxStaleAny || value == ""; value != "" {
			first(&d.MaxStale, value)
		}
		return
	case "min-fresh":
		first(&d.MinFresh, value)
		return
	}
	if flag := d.flag(name); flag != nil {
		*flag = true
		return
	}
	if number := d.number(name); number != nil {
		first(number, value)
		return
	}
	d.misspelt(name)
}

// misspelt treats "max-age =60" as a lifetime that cannot be read: the author
// meant one, and what is not understood must not make anything fresh.
func (d *Directives) misspelt(name string) {
	switch strings.TrimSpace(name) {
	case name:
	case "max-age":
		first(&d.MaxAge, "?")
	case "s-maxage":
		first(&d.SMaxAge, "?")
	case "no-store", "no-cache", "private":
		d.Broken = true
	}
}

// qualified sets the plain flag, or the fields of the form with field names.
func (d *Directives) qualified(flag *bool, fields *[]string, value string, quoted bool) {
	names := fieldNames(value)
	if len(names) == 0 || strings.HasPrefix(value, "\x00") {
		*flag = true
		return
	}
	_ = quoted // the token form is not allowed to be sent, but its meaning is plain
	*fields = append(*fields, names...)
}

// first sets *to unless an earlier directive did.
func first(to *Seconds, value string) {
	if *to != Unset {
		return
	}
	*to, _ = parseSeconds(value)
}

// parseSeconds reads delta-seconds; what is none gives 0 and false.
func parseSeconds(s string) (Seconds, bool) {
	if s == "" {
		return 0, false
	}
	var n Seconds
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(n*10+Seconds(s[i]-'0'), MaxSeconds)
	}
	return n, true
}
