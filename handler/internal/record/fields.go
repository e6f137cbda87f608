package record

import (
	"net/http"
	"slices"
)

// additive are fields whose lines add up: a middleware around this one may have
// set some before.
var additive = []string{"Set-Cookie", "Vary", "Link", "Server-Timing"}

// replace makes h hold the fields of from and no others.
func replace(h, from http.Header) {
	clear(h)
	for name, lines := range from {
		h[name] = lines[:len(lines):len(lines)]
	}
}

// Merge sets the fields of from in h; one without a line takes away what there
// was, and for net/http what it would add.
func Merge(h, from http.Header) {
	for name, lines := range from {
		if have := h[name]; len(have) > 0 && len(lines) > 0 && slices.Contains(additive, name) {
			h[name] = append(have[:len(have):len(have)], lines...)
			continue
		}
		h[name] = lines[:len(lines):len(lines)] // what is appended later must not reach the stored lines
	}
}
