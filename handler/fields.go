package handler

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

func canonical(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

// hopByHop are the fields of one connection: never stored, never replayed
// (RFC 9111 section 3.1, RFC 9110 section 7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// removeHopByHop deletes the fields of one connection and those that the
// Connection field lists.
func removeHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for _, name := range fieldNames(line) {
			delete(h, name)
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// additive are fields whose lines add up: a middleware around this one may have
// set some before.
var additive = []string{"Set-Cookie", "Vary", "Link", "Server-Timing"}

// replace makes h hold the fields of from and no others.
func replace(h, from http.Header) {
	clear(h)
	for name, lines := range from {
		h[name] = lines[:len(lines):len(lines)]
	}
}

// merge sets the fields of from in h; one without a line takes away what there
// was, and for net/http what it would add.
func merge(h, from http.Header) {
	for name, lines := range from {
		if have := h[name]; len(have) > 0 && len(lines) > 0 && slices.Contains(additive, name) {
			h[name] = append(have[:len(have):len(have)], lines...)
			continue
		}
		h[name] = lines[:len(lines):len(lines)] // what is appended later must not reach the stored lines
	}
}

// list joins the lines of a list field and yields its members, trimmed.
func list(lines []string) []string {
	var members []string
	for _, line := range lines {
		for m := range strings.SplitSeq(line, ",") {
			if m = strings.Trim(m, " \t"); m != "" {
				members = append(members, m)
			}
		}
	}
	return members
}

// parseDate reads an HTTP date in any of the three forms of RFC 9110 section
// 5.6.7, in any case. Only the exact forms count: a date that has to be guessed
// at gives no freshness.
func parseDate(s string) (time.Time, bool) {
	if len(s) > 40 || len(s) < 24 {
		return time.Time{}, false
	}
	if zone := s[len(s)-3:]; strings.EqualFold(zone, "GMT") {
		s = s[:len(s)-3] + "GMT"
	}
	for _, layout := range [...]string{http.TimeFormat, time.RFC850, time.ANSIC} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		t = t.UTC()
		if layout == time.RFC850 {
			return rfc850Century(t), sameDate(t.Format("Monday, 02-Jan-06 15:04:05 GMT"), s)
		}
		return t, sameDate(t.Format(layout), s)
	}
	return time.Time{}, false
}

// sameDate compares two spellings from the first blank on: the name of the day
// before it may be wrong, everything else may not.
func sameDate(a, b string) bool {
	_, a, _ = strings.Cut(a, " ")
	_, b, _ = strings.Cut(b, " ")
	return strings.EqualFold(a, b)
}

// rfc850Century takes a two-digit year that seems more than 50 years ahead for
// the last year with those digits (RFC 9110 section 5.6.7).
func rfc850Century(t time.Time) time.Time {
	if t.After(time.Now().AddDate(50, 0, 0)) {
		return t.AddDate(-100, 0, 0)
	}
	return t
}

func formatDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
