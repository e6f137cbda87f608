package record

import (
	"bytes"
	"slices"
)

// Equal reports whether two responses are the same to their clients, for an audit:
// fields such as Date differ each time. Of two notes on variants it compares what
// they note. Of different parts of a thing it cannot say that they differ.
func (r *Response) Equal(o *Response) bool {
	if r == nil || o == nil {
		return r == o
	}
	if (r.IsPart() || o.IsPart()) && !slices.Equal(r.Header["Content-Range"], o.Header["Content-Range"]) {
		return true
	}
	return r.Status == o.Status && r.Marker == o.Marker && slices.Equal(r.Vary, o.Vary) &&
		slices.Equal(r.Header["Content-Type"], o.Header["Content-Type"]) &&
		slices.Equal(r.Header["Location"], o.Header["Location"]) && bytes.Equal(r.Body, o.Body)
}
