package keyspace

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// Escape percent-escapes every byte of s that is not an unreserved character
// of RFC 3986 section 2.3, so that the result holds no separator and no glob
// character. The empty string becomes "%_", which no other string becomes.
func Escape(s string) string {
	if s == "" {
		return "%_"
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if !unreserved(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	for i := 0; i < len(s); i++ {
		if c := s[i]; unreserved(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// Unescape undoes [Escape]. What is no escape stays as it is.
func Unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	if s == "%_" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// Canonical is the one spelling of a key segment, whether the caller escaped
// it or not. Prefix tokens are named by it.
func Canonical(segment string) string {
	if isCanonical(segment) {
		return segment
	}
	return Escape(Unescape(segment))
}

// isCanonical reports whether s is what Escape makes of some text.
func isCanonical(s string) bool {
	for i := 0; i < len(s); i++ {
		if unreserved(s[i]) {
			continue
		}
		if s[i] != '%' || i+2 >= len(s) || !isUpperHex(s[i+1]) || !isUpperHex(s[i+2]) || unreserved(byte(unhex(s[i+1])<<4|unhex(s[i+2]))) {
			return s == "%_"
		}
		i += 2
	}
	return s != ""
}

func isUpperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }

// MaxVerbatim is how long in bytes a caller's key or tag may be before its
// hash stands for it.
const MaxVerbatim = 512

// Normalize returns s if it can stand in a Redis key as it is, and "#" with
// its SHA-256 in base64url otherwise: when it is longer than [MaxVerbatim], is
// not UTF-8 (a JSON body cannot carry it), begins with "#" itself, or holds
// "%;", which no escaped text does and which marks variants.
func Normalize(s string) string {
	if len(s) <= MaxVerbatim && utf8.ValidString(s) && !strings.HasPrefix(s, "#") && !strings.Contains(s, "%;") {
		return s
	}
	return "#" + Hash(s)
}

// Hash is the SHA-256 of s in base64url, 43 characters.
func Hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
