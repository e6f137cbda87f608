package rfc9111

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// MaxVary is how many request fields may select a response; more are not
// worth storing.
const MaxVary = 16

// VaryOf returns the sorted names of a Vary field. ok is false if nothing can
// be said to match: a "*" anywhere, what is no field name, or too many.
func VaryOf(h http.Header) (names []string, ok bool) {
	for _, name := range List(h["Vary"]) {
		if !IsToken(name) || name == "*" {
			return nil, false
		}
		names = append(names, Canonical(name))
	}
	// A coded body without Vary would reach clients that cannot decode it.
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		names = append(names, "Accept-Encoding")
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names, len(names) <= MaxVary
}

// Covers reports whether selecting by the names of list selects by all of names.
func Covers(List, names []string) bool {
	for _, name := range names {
		if !slices.Contains(List, name) {
			return false
		}
	}
	return true
}

// Union merges two sorted lists of names.
func Union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// VariantOf names the values that a request has in the given fields; requests
// with the same name get the same response. Without fields it is "".
func VariantOf(names []string, h http.Header) string {
	if len(names) == 0 {
		return ""
	}
	sum := sha256.New()
	for _, name := range names {
		lines, there := h[name]
		value := "-" // a field that is absent is not one that is empty
		if there {
			value = "+" + normalize(name, lines)
		}
		sum.Write([]byte(name + ":" + strconv.Itoa(len(value)) + ":" + value))
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16])
}

// normalize makes values that mean the same equal (RFC 9111 section 4.1):
// lines are joined and blanks beside commas removed; of the fields that list
// preferences order and case are taken away too.
func normalize(name string, lines []string) string {
	members := List(lines)
	switch name {
	case "Accept-Encoding", "Accept-Language", "Accept-Charset":
		for i, m := range members {
			members[i] = preference(m)
		}
		slices.Sort(members)
		members = slices.Compact(members)
		members = slices.DeleteFunc(members, func(m string) bool { return m == "" })
	}
	return strings.Join(members, ",")
}

// preference normalizes one member such as "EN; q=0.50" to "en;q=0.5"; the
// weight 1 is left out, and a member that is refused (q=0) but names no
// wildcard or identity is dropped.
func preference(member string) string {
	name, params, _ := strings.Cut(member, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	weight := 1.0
	for p := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(key, "q") {
			if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
				weight = q
			}
		}
	}
	switch {
	case weight == 1:
		return name
	case weight == 0 && name != "*" && name != "identity":
		return ""
	}
	return name + ";q=" + strconv.FormatFloat(weight, 'g', 3, 64)
}
