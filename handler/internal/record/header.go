package record

import (
	"net/http"
	"slices"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// ofTheAnswer are fields that say how an answer may be used, whoever set them.
var ofTheAnswer = []string{"Cache-Control", "Expires", "Pragma", "Date", "Age", "Etag", "Last-Modified", "Content-Type", "Content-Encoding", "Content-Language"}

// changed is what the handler has said of the header: what the middleware
// around the cache says it says again for the next request.
func (c *Capture) changed() http.Header {
	h := make(http.Header, len(c.frozen))
	for name, lines := range c.frozen {
		before := c.outer[name]
		switch {
		case slices.Equal(lines, before) && !slices.Contains(ofTheAnswer, name):
		case slices.Contains(additive, name) && len(before) < len(lines) && slices.Equal(lines[:len(before)], before):
			h[name] = lines[len(before):]
		default:
			h[name] = lines
		}
	}
	for name := range c.outer {
		if _, there := c.frozen[name]; !there {
			h[name] = nil // taken away
		}
	}
	return h
}

// trailers are the fields that the handler set after its body: those that its
// Trailer field names, and those with http.TrailerPrefix.
func trailers(header, frozen http.Header) http.Header {
	var t http.Header
	add := func(name string, lines []string) {
		if t == nil {
			t = http.Header{}
		}
		t[name] = lines
	}
	for _, name := range rfc9111.List(frozen["Trailer"]) {
		if lines := header[rfc9111.Canonical(name)]; len(lines) > 0 {
			add(rfc9111.Canonical(name), lines)
		}
	}
	for name, lines := range header {
		if len(name) > len(http.TrailerPrefix) && name[:len(http.TrailerPrefix)] == http.TrailerPrefix {
			add(rfc9111.Canonical(name[len(http.TrailerPrefix):]), lines)
		}
	}
	return t
}

func copyTrailers(out, header, frozen http.Header) {
	ended := trailers(header, frozen)
	f := FieldsOf(out, len(ended))
	for name, lines := range ended {
		f.Set(http.TrailerPrefix+name, lines...)
	}
}
