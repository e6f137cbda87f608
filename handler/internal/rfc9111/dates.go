package rfc9111

import (
	"net/http"
	"strings"
	"time"
)

// ParseDate reads an HTTP date in any of the three forms of RFC 9110 section
// 5.6.7, in any case. Only the exact forms count: a date that has to be guessed
// at gives no freshness.
func ParseDate(s string) (time.Time, bool) {
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
		var room [48]byte // no string is made
		if layout == time.RFC850 {
			return rfc850Century(t), sameDate(string(t.AppendFormat(room[:0], "Monday, 02-Jan-06 15:04:05 GMT")), s)
		}
		return t, sameDate(string(t.AppendFormat(room[:0], layout)), s)
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

func FormatDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
