package rfc9111

import (
	"net/http"
	"strings"
)

// Part says where a partial body lies in the whole one: from Start to End, end
// exclusive, of Size bytes.
type Part struct{ Start, End, Size int }

// PartOf reads the Content-Range of a 206 with a single part (RFC 9110 section
// 14.4). ok is false without one, or where the size of the whole is not known.
func PartOf(h http.Header) (p Part, ok bool) {
	lines := h["Content-Range"]
	if len(lines) != 1 {
		return p, false
	}
	unit, spec, _ := strings.Cut(lines[0], " ")
	positions, size, _ := strings.Cut(spec, "/")
	first, last, found := strings.Cut(positions, "-")
	if !found || !strings.EqualFold(unit, "bytes") {
		return p, false
	}
	start, ok1 := parsePosition(first)
	end, ok2 := parsePosition(last)
	whole, ok3 := parsePosition(size)
	return Part{start, end + 1, whole}, ok1 && ok2 && ok3 && start <= end && end < whole
}

// ContentRange is the field that PartOf reads.
func (p Part) ContentRange() string { return ContentRange(Range{p.Start, p.End}, p.Size) }

// Whole reports whether the part is all there is.
func (p Part) Whole() bool { return p.Start == 0 && p.End == p.Size }

// Touches reports whether no byte is missing between two parts of one whole.
func (p Part) Touches(o Part) bool {
	return p.Size == o.Size && p.Start <= o.End && o.Start <= p.End
}

// Find is where in the part's body of length bytes the asked range lies; false
// if it does not lie in the part as a whole (RFC 9111 section 3.3). A body that
// is shorter than it says counts from the end that the range counts from.
func (p Part) Find(field string, length int) (r Range, ok bool) {
	r, ok = ParseRange(field, p.Size)
	if !ok || r.Start == r.End || r.Start < p.Start || r.End > p.End {
		return r, false
	}
	r = Range{r.Start - p.Start, min(r.End-p.Start, length)}
	if _, spec, _ := strings.Cut(field, "="); strings.HasPrefix(strings.TrimLeft(spec, " \t"), "-") {
		r = Range{r.Start - (p.End - p.Start - length), length}
	}
	return r, 0 <= r.Start && r.Start < r.End
}

// SameStrong reports whether two answers have the same strong entity tag, so
// that parts of them may be combined (RFC 9111 section 3.4).
func SameStrong(a, b http.Header) bool {
	return sameStrong(parseTag(a.Get("Etag")), parseTag(b.Get("Etag")))
}

// AskedRange is the Range field of a request, "" if it wants the whole: it has
// none, or its If-Range does not name the stored answer.
func AskedRange(asked, stored http.Header) string {
	if !WantsRange(asked, http.StatusOK, stored) {
		return ""
	}
	return asked["Range"][0]
}
