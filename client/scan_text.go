package client

import (
	"bytes"
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

// escaped reads one escape, or two that make up a surrogate pair.
func escaped(b []byte) (r rune, width int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		first, ok := hex4(b[2:])
		if !ok {
			return 0, 0
		}
		if !utf16.IsSurrogate(first) {
			return first, 6
		}
		if len(b) >= 8 && b[6] == '\\' && b[7] == 'u' {
			if second, ok := hex4(b[8:]); ok {
				if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
					return r, 12
				}
			}
		}
		return utf8.RuneError, 6
	}
	return 0, 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	return rune(n), err == nil
}
