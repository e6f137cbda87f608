package client

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a JSON string and returns it without its escapes, in place.
func (s *scanner) text() ([]byte, error) {
	if s.space() != '"' {
		return nil, errSyntax
	}
	s.pos++
	start := s.pos
	end := bytes.IndexByte(s.data[start:], '"')
	if end < 0 {
		return nil, errSyntax
	}
	raw := s.data[start : start+end : start+end]
	if bytes.IndexByte(raw, '\\') < 0 {
		s.pos = start + end + 1
		return raw, nil
	}
	return s.unescape(start)
}

// unescape reads the string at start, writing over it: no escape is shorter
// than what it stands for.
func (s *scanner) unescape(start int) ([]byte, error) {
	out := start
	for i := start; i < len(s.data); {
		switch c := s.data[i]; c {
		case '"':
			s.pos = i + 1
			return s.data[start:out:out], nil
		case '\\':
			r, width := escaped(s.data[i:])
			if width == 0 {
				return nil, errSyntax
			}
			i += width
			out += utf8.EncodeRune(s.data[out:out+utf8.RuneLen(r)], r)
		default:
			s.data[out] = c
			out++
			i++
		}
	}
	return nil, errSyntax
}

// escapes are what the letter behind a backslash stands for, but for u.
var escapes = [256]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads one escape, or two that make up a surrogate pair. Its width is 0
// where there is none.
func escaped(b []byte) (r rune, width int) {
	if len(b) < 2 {
		return 0, 0
	}
	if r = escapes[b[1]]; r != 0 {
		return r, 2
	}
	if b[1] != 'u' {
		return 0, 0
	}
	first, ok := hex4(b[2:])
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(first):
		return first, 6
	}
	if r = secondHalf(first, b[6:]); r != utf8.RuneError {
		return r, 12
	}
	return utf8.RuneError, 6
}

// secondHalf completes a surrogate pair.
func secondHalf(first rune, b []byte) rune {
	if len(b) < 2 || b[0] != '\\' || b[1] != 'u' {
		return utf8.RuneError
	}
	second, ok := hex4(b[2:])
	if !ok {
		return utf8.RuneError
	}
	return utf16.DecodeRune(first, second)
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	return rune(n), err == nil
}

// A scanner reads the JSON envelope of answers without building a tree. It
// decodes strings in place, in the body that it was given: the replies alias
// it and nothing is copied.
type scanner struct {
	data []byte
	pos  int
	// coded strings are in base64, as was asked for. A server that answers in
	// JSON where RESP2 was asked for sends them as they are.
	coded bool
}

var (
	errSyntax   = errors.New("the answer is not the JSON that was expected")
	errBase64   = errors.New("a string of the answer is not base64")
	errTooDeep  = errors.New("the answer is nested too deeply")
	errEnvelope = errors.New("the answer has neither result nor error")
	errTrailing = errors.New("the answer goes on after its end")
)

// space passes over white space and returns the byte after it, 0 at the end.
func (s *scanner) space() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

// take passes over c, if that is next.
func (s *scanner) take(c byte) bool {
	if s.space() != c {
		return false
	}
	s.pos++
	return true
}
