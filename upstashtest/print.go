package upstashtest

import (
	"fmt"
	"log/slog"
)

// hidden stands where a token stood.
const hidden = "[token]"

// Format prints the Config without its tokens, under every verb.
func (c Config) Format(s fmt.State, verb rune) {
	type plain Config // has no Format
	for _, token := range []*string{&c.Token, &c.ReadOnlyToken} {
		if *token != "" {
			*token = hidden
		}
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(c))
}

// LogValue is what slog prints of a Config.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", c)) }

// MarshalJSON writes what [Config.LogValue] tells.
func (c Config) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(c)), nil }

// Format prints whose token it is and not the token, under every verb.
func (t Token) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "token of %q", t.Name) }

// LogValue is what slog prints of a Token.
func (t Token) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }

// MarshalJSON writes what [Token.LogValue] tells.
func (t Token) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(t)), nil }

// Format prints where the server is reached, under every verb.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprint(f, "server at "+s.URL) }

// LogValue is what slog prints of a Server.
func (s *Server) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// MarshalJSON writes what [Server.LogValue] tells.
func (s *Server) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(s)), nil }
