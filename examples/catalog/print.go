package catalog

import (
	"fmt"
	"log/slog"
)

// Format prints the Config without its secrets, under every verb.
func (c Config) Format(s fmt.State, verb rune) {
	type plain Config // has no Format
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(c.withoutSecrets()))
}

// LogValue is what slog prints of a Config.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", c)) }

// MarshalJSON writes what [Config.LogValue] tells.
func (c Config) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(c)), nil }

func (c Config) withoutSecrets() Config {
	for _, secret := range []*string{&c.WriteToken, &c.PurgeSecret, &c.CronSecret} {
		if *secret != "" {
			*secret = "[secret]"
		}
	}
	c.SessionKey = nil
	return c
}

// Format prints the VercelCDN without its token, under every verb.
func (v VercelCDN) Format(s fmt.State, verb rune) {
	type plain VercelCDN // has no Format
	if v.Token != "" {
		v.Token = "[secret]"
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(v))
}

// LogValue is what slog prints of a VercelCDN.
func (v VercelCDN) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", v)) }

// MarshalJSON writes what [VercelCDN.LogValue] tells.
func (v VercelCDN) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(v)), nil }

// Format prints no more than what it is: the App holds the secrets of its Config.
func (a *App) Format(s fmt.State, _ rune) { fmt.Fprint(s, "catalog.App") }

// LogValue is what slog prints of an App.
func (a *App) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }
