package rfc9111

import (
	"net/http"
	"strings"
	"time"
)

// entityTag is a parsed entity-tag of RFC 9110 section 8.8.3. opaque keeps
// its quotes, if it had any.
type entityTag struct {
	opaque string
	weak   bool
}

func parseTag(s string) entityTag {
	s = strings.TrimSpace(s)
	opaque, weak := strings.CutPrefix(s, "W/")
	return entityTag{opaque, weak}
}

// sameStrong and sameWeak are the comparisons of RFC 9110 section 8.8.3.2.
func sameStrong(a, b entityTag) bool {
	return !a.weak && !b.weak && a.opaque == b.opaque && a.opaque != ""
}
func sameWeak(a, b entityTag) bool { return a.opaque == b.opaque && a.opaque != "" }

// tagList splits an If-None-Match field; a comma may stand inside quotes.
func tagList(lines []string) []entityTag {
	var tags []entityTag
	for _, line := range lines {
		for start, i, quoted := 0, 0, false; i <= len(line); i++ {
			switch {
			case i == len(line) || line[i] == ',' && !quoted:
				if tag := strings.TrimSpace(line[start:i]); tag != "" {
					tags = append(tags, parseTag(tag))
				}
				start = i + 1
			case line[i] == '"':
				quoted = !quoted
			}
		}
	}
	return tags
}

// NotModified evaluates the client's own conditions against a stored 200
// (RFC 9111 section 4.3.2): If-None-Match if it is there, else If-Modified-Since.
func NotModified(asked, stored http.Header, received time.Time) bool {
	if lines, there := asked["If-None-Match"]; there {
		have := parseTag(stored.Get("Etag"))
		for _, tag := range tagList(lines) {
			if tag.opaque == "*" || sameWeak(tag, have) {
				return true
			}
		}
		return false
	}
	since, ok := ParseDate(asked.Get("If-Modified-Since"))
	if !ok {
		return false
	}
	for _, name := range [...]string{"Last-Modified", "Date"} {
		if at, ok := ParseDate(stored.Get(name)); ok {
			return !at.After(since)
		}
	}
	return !received.After(since)
}

// Conditions are the request fields that make a request conditional.
var Conditions = []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"}

// ForOriginOnly reports whether the request has a condition that only the
// handler can judge (RFC 9111 section 4.3.2).
func ForOriginOnly(h http.Header) bool {
	return len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}

// AskAgain makes the request for the handler conditional on the stored
// response's validators (RFC 9111 section 4.3.1). It reports whether it has any.
func AskAgain(h, stored http.Header) bool {
	tag, modified := stored.Get("Etag"), stored.Get("Last-Modified")
	if tag != "" {
		h.Set("If-None-Match", tag)
	}
	if modified != "" {
		h.Set("If-Modified-Since", modified)
	}
	return tag != "" || modified != ""
}

// SameAs reports whether a 304 with these fields speaks of the stored response
// (RFC 9111 section 4.3.4): its validators, if it has any, must be the stored ones.
func (r Stored) SameAs(answer http.Header) bool {
	if tag := answer.Get("Etag"); tag != "" {
		got, have := parseTag(tag), parseTag(r.Header.Get("Etag"))
		if got.weak {
			return sameWeak(got, have)
		}
		return sameStrong(got, have)
	}
	if modified := answer.Get("Last-Modified"); modified != "" && r.Header.Get("Etag") == "" {
		return modified == r.Header.Get("Last-Modified")
	}
	return true
}
