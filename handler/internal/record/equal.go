package record

import (
	"bytes"
	"slices"
)

// Equal reports whether two responses are the same to their clients, for an audit:
// fields such as Date differ each time. Of two notes on variants it compares what
// they note.
func (r *Response) Equal(o *Response) bool {
	if r == nil || o == nil {
		return r == o
	}
	return r.Status == o.Status && r.Marker == o.Marker && slices.Equal(r.Vary, o.Vary) &&
		slices.Equal(r.Header["Content-Type"], o.Header["Content-Type"]) &&
		slices.Equal(r.Header["Location"], o.Header["Location"]) && bytes.Equal(r.Body, o.Body)
}
