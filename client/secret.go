package client

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/cldcde/restash/client/command"
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

// clean takes the token out of the error replies of an answer: some servers
// say which one was wrong.
func (x *exchange) clean() {
	x.one = x.c.cleaned(x.one)
	for i := range x.many {
		x.many[i] = x.c.cleaned(x.many[i])
	}
	if x.refused != nil {
		refused := x.c.cleaned(*x.refused)
		x.refused = &refused
	}
}

func (c *Client) cleaned(r command.Reply) command.Reply {
	if r.Kind == command.KindError {
		r.Bytes = []byte(c.token.hide(string(r.Bytes)))
	}
	for i := range r.Array {
		if r.Array[i].Kind == command.KindError {
			r.Array[i] = c.cleaned(r.Array[i])
		}
	}
	return r
}

// Format prints the Config without its token and without credentials in its
// URL, under every verb.
func (cfg Config) Format(s fmt.State, verb rune) {
	type plain Config // has no Format
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(cfg.withoutSecrets()))
}

// LogValue is what slog prints of a Config.
func (cfg Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("url", cfg.withoutSecrets().URL))
}

// MarshalJSON writes what [Config.LogValue] tells; a Config is not meant to
// be kept as JSON.
func (cfg Config) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"url":%q}`, cfg.withoutSecrets().URL), nil
}

func (cfg Config) withoutSecrets() Config {
	if cfg.Token != "" {
		cfg.Token = hidden
	}
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		cfg.URL = "[URL]" // it may hold anything
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		cfg.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	return cfg
}

// String names the database that the client talks to.
func (c *Client) String() string { return "client of " + c.base.Host }

// Format prints what [Client.String] returns, under every verb.
func (c *Client) Format(s fmt.State, _ rune) { fmt.Fprint(s, c.String()) }

// LogValue is what slog prints of a Client.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }
