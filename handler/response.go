package handler

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// response is a stored answer, or, with marker set, the note under a base key
// that answers differ by the request fields in vary.
type response struct {
	status  int
	header  http.Header
	trailer http.Header
	body    []byte

	// vary are the request fields that selected it, sorted; variant is the
	// name of their values (see variantOf).
	vary    []string
	variant string
	marker  bool

	// requested and received are when the handler was asked and when it
	// answered (RFC 9111 section 4.2.3), to the millisecond.
	requested, received time.Time
}

// newResponse is what would be stored of an answer: without the fields of the
// connection and of the exchange, with a Date. header is kept and changed.
func newResponse(status int, header, trailer http.Header, body []byte, requested, received time.Time) *response {
	removeHopByHop(header)
	delete(header, "X-Cache")
	if _, ok := parseDate(header.Get("Date")); !ok {
		header.Set("Date", formatDate(received))
	}
	return &response{
		status: status, header: header, trailer: trailer, body: body,
		requested: requested.Truncate(time.Millisecond), received: received.Truncate(time.Millisecond),
	}
}

// etagOf is a strong entity tag made from the body.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// clone copies what an update may change.
func (r *response) clone() *response {
	c := *r
	c.header = r.header.Clone()
	return &c
}

// freshen returns the stored response with the fields of a 304 answer, as RFC
// 9111 section 3.2 says: all but those that describe the stored body.
func (r *response) freshen(from http.Header, requested, received time.Time) *response {
	update := from.Clone()
	removeHopByHop(update)
	for _, name := range [...]string{"Content-Length", "Content-Encoding", "Content-Range", "X-Cache"} {
		delete(update, name)
	}
	c := r.clone()
	delete(c.header, "Age") // an age counts from the answer that carried it
	for name, lines := range update {
		c.header[name] = lines
	}
	if _, ok := parseDate(update.Get("Date")); !ok {
		c.header.Set("Date", formatDate(received))
	}
	c.requested, c.received = requested.Truncate(time.Millisecond), received.Truncate(time.Millisecond)
	return c
}

// confirmedBy reports whether the header of an answer to HEAD describes the
// stored response: what it has of validators and length is the stored ones
// (RFC 9111 section 4.3.5).
func (r *response) confirmedBy(h http.Header) bool {
	for _, name := range [...]string{"Etag", "Last-Modified"} {
		if got := h.Get(name); got != "" && got != r.header.Get(name) {
			return false
		}
	}
	length := h.Get("Content-Length")
	return r.status == http.StatusOK && (length == "" || length == strconv.Itoa(len(r.body)))
}
