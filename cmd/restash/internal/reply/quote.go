package reply

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Quote writes bytes in double quotes; what is not printable ASCII is escaped.
func Quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out.WriteString(`\` + string(rune(c)))
		case strings.IndexByte("\n\r\t\a\b", c) >= 0:
			out.WriteString(`\` + string("nrtab"[strings.IndexByte("\n\r\t\a\b", c)]))
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// ErrQuotes says that a line's quotes do not close, or close in a word.
var ErrQuotes = errors.New("unbalanced quotes")

// Split cuts a command line into words, as redis-cli does: at spaces, but not in
// 'single' quotes, where only \' is an escape, and not in "double" ones, which
// know \n, \r, \t, \a, \b, \xff and a backslash before any other character.
func Split(line string) ([]string, error) {
	var all []string
	rest := line
	for {
		rest = strings.TrimLeft(rest, " \t\r\n\v\f\x00")
		if rest == "" {
			return all, nil
		}
		word, tail, err := cutWord(rest)
		if err != nil {
			return nil, err
		}
		all, rest = append(all, word), tail
	}
}

// cutWord reads one word. Quotes may begin inside it, but only end it.
func cutWord(s string) (word, rest string, err error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\r', 0:
			return out.String(), s[i:], nil
		case '"', '\'':
			n, closed := cutQuoted(&out, s[i+1:], c)
			i += 1 + n
			if !closed || i+1 < len(s) && !isSpace(s[i+1]) {
				return "", "", ErrQuotes
			}
			return out.String(), s[i+1:], nil
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), "", nil
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// cutQuoted appends what stands before the closing quote, which is at s[n].
func cutQuoted(out *strings.Builder, s string, quote byte) (n int, closed bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i, true
		case s[i] != '\\' || i+1 == len(s):
			out.WriteByte(s[i])
		case quote == '\'' && s[i+1] != '\'':
			out.WriteByte('\\')
		case quote == '\'':
			out.WriteByte('\'')
			i++
		default:
			c, width := unescape(s[i+1:])
			out.WriteByte(c)
			i += width
		}
	}
	return len(s), false
}

// unescape reads what stands behind a backslash.
func unescape(s string) (c byte, width int) {
	if s[0] == 'x' && len(s) > 2 {
		if n, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return byte(n), 3
		}
	}
	if i := strings.IndexByte("nrtab", s[0]); i >= 0 {
		return "\n\r\t\a\b"[i], 1
	}
	return s[0], 1
}
