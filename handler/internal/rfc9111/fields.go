package rfc9111

import (
	"net/http"
	"net/textproto"
	"strings"
)

// Canonical is a field name as net/http spells it.
func Canonical(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }

// IsToken reports whether s is a token of RFC 9110 section 5.6.2.
func IsToken(s string) bool {
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

// RemoveHopByHop deletes the fields of one connection and those that the
// Connection field lists.
func RemoveHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for _, name := range fieldNames(line) {
			delete(h, name)
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// List joins the lines of a list field and yields its members, trimmed.
func List(lines []string) []string {
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

// CanonicalAll spells names as net/http does.
func CanonicalAll(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = Canonical(n)
	}
	return all
}

// fieldNames splits a list of field names and puts them in canonical case.
// What is no token is left out.
func fieldNames(List string) []string {
	var names []string
	for name := range strings.SplitSeq(List, ",") {
		if name = strings.Trim(name, " \t"); IsToken(name) {
			names = append(names, Canonical(name))
		}
	}
	return names
}
