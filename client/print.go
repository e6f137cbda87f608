package client

import (
	"fmt"
	"log/slog"
	"net/url"
)

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
