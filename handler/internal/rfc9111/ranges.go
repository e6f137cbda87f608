package rfc9111

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// minStrongAge is how much older than the Date a Last-Modified must be to be a
// strong validator.
const minStrongAge = time.Second

// Range is one range of a body, end exclusive.
type Range struct{ Start, End int }

// ParseRange reads a Range field for a body of size bytes (RFC 9110 section
// 14.2). ok is false if the field is to be ignored: another unit, more than
// one range, or not to be parsed. A range outside the body has start = end.
func ParseRange(field string, size int) (r Range, ok bool) {
	unit, spec, found := strings.Cut(field, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return r, false
	}
	spec = strings.Trim(spec, " \t")
	from, to, found := strings.Cut(spec, "-")
	if !found || strings.Contains(spec, ",") {
		return r, false
	}
	switch {
	case from == "":
		n, ok := parsePosition(to)
		if !ok {
			return r, false
		}
		return Range{size - min(n, size), size}, true
	case to == "":
		start, ok := parsePosition(from)
		return Range{min(start, size), size}, ok
	}
	start, ok1 := parsePosition(from)
	last, ok2 := parsePosition(to)
	if !ok1 || !ok2 || last < start {
		return r, false
	}
	return Range{min(start, size), min(last, size-1) + 1}.within(size), true
}

func (r Range) within(size int) Range {
	if r.Start >= size {
		return Range{size, size}
	}
	return r
}

// parsePosition reads a position; a greater one than any body counts as that.
func parsePosition(s string) (int, bool) {
	if s == "" || len(s) > 1 && strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	if len(s) > 15 {
		s = "999999999999999"
	}
	n, err := strconv.ParseUint(s, 10, 62)
	return int(n), err == nil
}

// WantsRange reports whether a range of the stored response is to be sent:
// there is a Range field, and If-Range, if there, names the stored response
// (RFC 9110 section 13.1.5, strong comparison).
func WantsRange(asked http.Header, status int, stored http.Header) bool {
	if len(asked["Range"]) != 1 || status != http.StatusOK {
		return false
	}
	condition := asked.Get("If-Range")
	if condition == "" {
		return true
	}
	if strings.HasPrefix(condition, `"`) || strings.HasPrefix(condition, "W/") {
		return sameStrong(parseTag(condition), parseTag(stored.Get("Etag")))
	}
	at, ok := ParseDate(condition)
	modified, has := ParseDate(stored.Get("Last-Modified"))
	date, dated := ParseDate(stored.Get("Date"))
	// A date is a strong validator only if the body cannot have changed twice
	// within its second (RFC 9110 section 8.8.2.2).
	return ok && has && dated && at.Equal(modified) && date.Sub(modified) >= minStrongAge
}

func ContentRange(r Range, size int) string {
	if r.Start == r.End {
		return "bytes */" + strconv.Itoa(size)
	}
	return "bytes " + strconv.Itoa(r.Start) + "-" + strconv.Itoa(r.End-1) + "/" + strconv.Itoa(size)
}
