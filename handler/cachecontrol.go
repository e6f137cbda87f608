package handler

import (
	"math"
	"strings"
	"time"
)

// seconds is a delta-seconds value of RFC 9111 section 1.2.2.
type seconds int64

const (
	// unset marks a directive that is not there.
	unset seconds = -1
	// maxSeconds is what greater values count as; RFC 9111 section 1.2.2
	// names it, and it keeps durations far from overflow.
	maxSeconds seconds = math.MaxInt32 + 1
)

func (s seconds) duration() time.Duration { return time.Duration(max(s, 0)) * time.Second }

// directives is a parsed Cache-Control field, of a request or a response.
type directives struct {
	noStore, noCache, noTransform, private, public bool
	mustRevalidate, proxyRevalidate                bool
	mustUnderstand, immutable, onlyIfCached        bool
	// maxStaleAny is max-stale without a value: any staleness will do.
	maxStaleAny bool
	// noCacheFields and privateFields are the field names of the qualified
	// forms, which leave noCache and private false.
	noCacheFields, privateFields []string

	maxAge, sMaxAge, minFresh, maxStale seconds
	staleWhileRevalidate, staleIfError  seconds

	// broken says that the field could not be taken apart; nothing is stored
	// on the word of such a field.
	broken bool
}

// noDirectives is what an absent field says.
func noDirectives() directives {
	return directives{
		maxAge: unset, sMaxAge: unset, minFresh: unset, maxStale: unset,
		staleWhileRevalidate: unset, staleIfError: unset,
	}
}

// parseCacheControl parses the lines of a Cache-Control field (RFC 9111
// section 5.2). Of a directive given twice the first value counts; a lifetime
// that is no number counts as zero, so that the response is stale.
func parseCacheControl(lines []string) directives {
	d := noDirectives()
	for _, line := range lines {
		for line != "" {
			var name, value string
			var quoted, ok bool
			name, value, quoted, line, ok = nextDirective(line)
			if !ok {
				d.broken = true
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

func (d *directives) set(name, value string, quoted bool) {
	switch name {
	case "no-store":
		d.noStore = true
	case "no-cache":
		d.qualified(&d.noCache, &d.noCacheFields, value, quoted)
	case "private":
		d.qualified(&d.private, &d.privateFields, value, quoted)
	case "no-transform":
		d.noTransform = true
	case "public":
		d.public = true
	case "must-revalidate":
		d.mustRevalidate = true
	case "proxy-revalidate":
		d.proxyRevalidate = true
	case "must-understand":
		d.mustUnderstand = true
	case "immutable":
		d.immutable = true
	case "only-if-cached":
		d.onlyIfCached = true
	case "max-stale":
		if value == "" {
			d.maxStaleAny = true
			return
		}
		first(&d.maxStale, value)
	case "max-age":
		first(&d.maxAge, value)
	case "s-maxage":
		first(&d.sMaxAge, value)
	case "min-fresh":
		first(&d.minFresh, value)
	case "stale-while-revalidate":
		first(&d.staleWhileRevalidate, value)
	case "stale-if-error":
		first(&d.staleIfError, value)
	default:
		d.misspelt(name)
	}
}

// misspelt treats "max-age =60" as a lifetime that cannot be read: the author
// meant one, and what is not understood must not make anything fresh.
func (d *directives) misspelt(name string) {
	switch strings.TrimSpace(name) {
	case name:
	case "max-age":
		first(&d.maxAge, "?")
	case "s-maxage":
		first(&d.sMaxAge, "?")
	case "no-store", "no-cache", "private":
		d.broken = true
	}
}

// qualified sets the plain flag, or the fields of the form with field names.
func (d *directives) qualified(flag *bool, fields *[]string, value string, quoted bool) {
	names := fieldNames(value)
	if len(names) == 0 || strings.HasPrefix(value, "\x00") {
		*flag = true
		return
	}
	_ = quoted // the token form is not allowed to be sent, but its meaning is plain
	*fields = append(*fields, names...)
}

// first sets *to unless an earlier directive did.
func first(to *seconds, value string) {
	if *to != unset {
		return
	}
	*to, _ = parseSeconds(value)
}

// parseSeconds reads delta-seconds; what is none gives 0 and false.
func parseSeconds(s string) (seconds, bool) {
	if s == "" {
		return 0, false
	}
	var n seconds
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(n*10+seconds(s[i]-'0'), maxSeconds)
	}
	return n, true
}

// fieldNames splits a list of field names and puts them in canonical case.
// What is no token is left out.
func fieldNames(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.Trim(name, " \t"); isToken(name) {
			names = append(names, canonical(name))
		}
	}
	return names
}
