package rfc9111

import (
	"net/http"

	"github.com/dunglas/httpsfv"
)

// ResponseDirectives returns the directives that this cache follows: those of
// the first targeted field of targets that is there and can be parsed, else
// of Cache-Control (RFC 9213 section 2.2). Under a targeted field Cache-Control
// and Expires mean nothing.
func ResponseDirectives(h http.Header, targets []string) (d Directives, targeted bool) {
	for _, name := range targets {
		lines := h[name]
		if len(lines) == 0 {
			continue
		}
		if d, ok := parseTargeted(lines); ok {
			return d, true
		}
	}
	return ParseCacheControl(h["Cache-Control"]), false
}

// parseTargeted reads a targeted field, a Dictionary of RFC 9651. It fails if
// the field is empty, is no Dictionary, or gives a directive a value of the
// wrong type: then the field is ignored as a whole.
func parseTargeted(lines []string) (Directives, bool) {
	d := NoDirectives()
	dict, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil || len(dict.Names()) == 0 {
		return d, false
	}
	for _, name := range dict.Names() {
		member, _ := dict.Get(name)
		item, ok := member.(httpsfv.Item)
		if !ok {
			if known(name) {
				return d, false
			}
			continue
		}
		if !d.setItem(name, item.Value) {
			return d, false
		}
	}
	return d, true
}

func known(name string) bool {
	var d Directives
	return d.flag(name) != nil || d.number(name) != nil
}

// setItem sets a directive from a structured value; false is a wrong type.
func (d *Directives) setItem(name string, value any) bool {
	if flag := d.flag(name); flag != nil {
		switch v := value.(type) {
		case bool:
			*flag = v
			return true
		case string: // the qualified form
			d.set(name, v, true)
			return name == "no-cache" || name == "private"
		}
		return false
	}
	number := d.number(name)
	if number == nil {
		return true
	}
	v, ok := value.(int64)
	if !ok {
		return name == "max-stale" && value == true
	}
	if v < 0 {
		v = 0
	}
	*number = min(Seconds(v), MaxSeconds)
	return true
}

func (d *Directives) flag(name string) *bool {
	switch name {
	case "no-store":
		return &d.NoStore
	case "no-cache":
		return &d.NoCache
	case "private":
		return &d.Private
	case "public":
		return &d.Public
	case "no-transform":
		return &d.NoTransform
	case "must-revalidate":
		return &d.MustRevalidate
	case "proxy-revalidate":
		return &d.ProxyRevalidate
	case "must-understand":
		return &d.MustUnderstand
	case "immutable":
		return &d.Immutable
	}
	return nil
}

func (d *Directives) number(name string) *Seconds {
	switch name {
	case "max-age":
		return &d.MaxAge
	case "s-maxage":
		return &d.SMaxAge
	case "stale-while-revalidate":
		return &d.StaleWhileRevalidate
	case "stale-if-error":
		return &d.StaleIfError
	}
	return nil
}
