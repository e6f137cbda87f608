package client

import (
	"strings"
	"unicode/utf8"
)

// secret keeps the token where no verb prints it: fmt reads unexported fields
// without asking their methods, but it cannot look into a function.
type secret struct {
	header func() []string // of the field Authorization
	hide   func(text string) string
}

// hidden stands where the token stood.
const hidden = "[token]"

func newSecret(token string) secret {
	header := []string{"Bearer " + token}
	return secret{
		header: func() []string { return header },
		hide:   func(text string) string { return hideIn(text, token) },
	}
}

// shortToken is where a token may be a word that servers use: "local", "t". One as
// short stands for itself only where no letter or digit touches it.
const shortToken = 8

// hideIn takes the token out of a text.
func hideIn(text, token string) string {
	if len(token) >= shortToken {
		return strings.ReplaceAll(text, token, hidden)
	}
	var out strings.Builder
	for from := 0; ; {
		i := strings.Index(text[from:], token)
		if i < 0 {
			return out.String() + text[from:]
		}
		i += from
		end := i + len(token)
		out.WriteString(text[from:i])
		if i > 0 && wordByte(text[i-1]) || end < len(text) && wordByte(text[end]) {
			out.WriteByte(text[i])
			from = i + 1
			continue
		}
		out.WriteString(hidden)
		from = end
	}
}

func wordByte(b byte) bool {
	return b == '_' || b >= utf8.RuneSelf || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
