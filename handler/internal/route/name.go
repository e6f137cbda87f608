package route

import (
	"fmt"
	"strings"

	"github.com/cldcde/restash/handler/internal/record"
)

// PlainName spells s with letters, digits and -._ only, "~" and two
// hexadecimal digits standing for any other byte.
func PlainName(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	return b.String()
}

// Version is part of every key: the form in which answers are stored, and the
// user's own.
func Version(own string) string { return record.FormatName + "-" + PlainName(own) }
