package client

import (
	"unicode/utf8"

	"github.com/cldcde/restash/client/command"
)

// appendArgs appends a command as a JSON array of strings. Every argument
// travels as a string, so that no number can lose digits on the way. It
// reports false if an argument is not UTF-8, which JSON cannot carry.
func appendArgs(dst []byte, args []string) ([]byte, bool) {
	dst = append(dst, '[')
	for i, a := range args {
		if i > 0 {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = appendString(dst, a); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}

// appendBatch appends commands as an array of arrays and returns -1, or the
// index of the first command that JSON cannot carry.
func appendBatch(dst []byte, cmds []command.Cmd) ([]byte, int) {
	dst = append(dst, '[')
	for i, cmd := range cmds {
		if i > 0 {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = appendArgs(dst, cmd.Args()); !ok {
			return dst, i
		}
	}
	return append(dst, ']'), -1
}

// sizeHint is what args take in JSON if little needs escaping.
func sizeHint(args []string) int {
	n := 2
	for _, a := range args {
		n += len(a) + 3
	}
	return n + n/32
}

// escape holds for each ASCII byte what follows the backslash: 0 for nothing,
// 'u' for the long form.
var escape = [utf8.RuneSelf]byte{
	'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't',
	0: 'u', 1: 'u', 2: 'u', 3: 'u', 4: 'u', 5: 'u', 6: 'u', 7: 'u', 11: 'u', 14: 'u', 15: 'u',
	16: 'u', 17: 'u', 18: 'u', 19: 'u', 20: 'u', 21: 'u', 22: 'u', 23: 'u', 24: 'u', 25: 'u',
	26: 'u', 27: 'u', 28: 'u', 29: 'u', 30: 'u', 31: 'u',
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. It reports false if s is not
// UTF-8.
func appendString(dst []byte, s string) ([]byte, bool) {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if plain(s, i) {
			i += 8
			continue
		}
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				return dst, false
			}
			i += size
			continue
		}
		if e := escape[b]; e != 0 {
			dst = append(dst, s[start:i]...)
			if e == 'u' {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
			} else {
				dst = append(dst, '\\', e)
			}
			start = i + 1
		}
		i++
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), true
}

// plain reports whether the eight bytes at i are ASCII that needs no escape.
// It looks at all of them at once: long values are what costs.
func plain(s string, i int) bool {
	if len(s)-i < 8 {
		return false
	}
	s = s[i : i+8]
	v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	const ones, high = 0x0101010101010101, 0x8080808080808080
	control := v - ones*0x20        // borrows where a byte is below the space
	quote := (v ^ ones*'"') - ones  // where it is a quote
	slash := (v ^ ones*'\\') - ones // where it is a backslash
	return (v|control|quote|slash)&high == 0
}
