package record

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Response is a stored answer, or, with marker set, the note under a base key
// that answers differ by the request fields in vary.
type Response struct {
	// Stored has when the handler was asked and when it answered, to the
	// millisecond.
	rfc9111.Stored
	Trailer http.Header
	Body    []byte

	// Vary are the request fields that selected it, sorted; Variant is the
	// name of their values (see rfc9111.VariantOf).
	Vary    []string
	Variant string
	// Marker says that it is the note that answers differ by the fields in Vary.
	Marker bool
}

// New is what would be stored of an answer: without the fields of the
// connection and of the exchange, with a Date. header is kept and changed.
func New(status int, header, trailer http.Header, body []byte, requested, received time.Time) *Response {
	rfc9111.RemoveHopByHop(header)
	delete(header, "X-Cache")
	if _, ok := rfc9111.ParseDate(header.Get("Date")); !ok {
		header.Set("Date", rfc9111.FormatDate(received))
	}
	return &Response{
		Stored: rfc9111.Stored{
			Status: status, Header: header,
			Requested: requested.Truncate(time.Millisecond), Received: received.Truncate(time.Millisecond),
		},
		Trailer: trailer, Body: body,
	}
}

// EtagOf is a strong entity tag made from the body.
func EtagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// clone copies what an update may change.
func (r *Response) clone() *Response {
	c := *r
	c.Header = r.Header.Clone()
	return &c
}

// Freshen returns the stored response with the fields of a 304 answer, as RFC
// 9111 section 3.2 says: all but those that describe the stored body.
func (r *Response) Freshen(from http.Header, requested, received time.Time) *Response {
	update := from.Clone()
	rfc9111.RemoveHopByHop(update)
	for _, name := range [...]string{"Content-Length", "Content-Encoding", "Content-Range", "X-Cache"} {
		delete(update, name)
	}
	c := r.clone()
	delete(c.Header, "Age") // an age counts from the answer that carried it
	for name, lines := range update {
		c.Header[name] = lines
	}
	if _, ok := rfc9111.ParseDate(update.Get("Date")); !ok {
		c.Header.Set("Date", rfc9111.FormatDate(received))
	}
	c.Requested, c.Received = requested.Truncate(time.Millisecond), received.Truncate(time.Millisecond)
	return c
}

// ConfirmedBy reports whether the header of an answer to HEAD describes the
// stored response: what it has of validators and length is the stored ones
// (RFC 9111 section 4.3.5).
func (r *Response) ConfirmedBy(h http.Header) bool {
	for _, name := range [...]string{"Etag", "Last-Modified"} {
		if got := h.Get(name); got != "" && got != r.Header.Get(name) {
			return false
		}
	}
	length := h.Get("Content-Length")
	return r.Status == http.StatusOK && (length == "" || length == strconv.Itoa(len(r.Body)))
}
