package record

import (
	"net/http"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// IsPart reports whether it is a part of an answer.
func (r *Response) IsPart() bool { return r.Status == http.StatusPartialContent }

// part is where the body lies in the whole; false if it is no part, or not as long
// as it says.
func (r *Response) part() (rfc9111.Part, bool) {
	p, ok := rfc9111.PartOf(r.Header)
	return p, ok && len(r.Body) == p.End-p.Start
}

// Find is where in a stored part the asked range lies; false if it does not.
func (r *Response) Find(asked http.Header) (rfc9111.Range, bool) {
	p, ok := rfc9111.PartOf(r.Header)
	if !ok {
		return rfc9111.Range{}, false
	}
	return p.Find(rfc9111.AskedRange(asked, r.Header), len(r.Body))
}

// Joins reports whether an answer of this header can be combined with the stored part
// (RFC 9111 section 3.4): there is no gap between them, and a strong entity tag
// says that they are of the same whole.
func (r *Response) Joins(h http.Header) bool {
	have, ok1 := r.part()
	more, ok2 := rfc9111.PartOf(h)
	return ok1 && ok2 && have.Touches(more) && rfc9111.SameStrong(r.Header, h)
}

// Join takes what a stored part has besides, if the two are no more than limit
// bytes; a part that is all there is becomes the whole.
func (r *Response) Join(old *Response, limit int) {
	p, ok := r.part()
	if !ok {
		return
	}
	if old != nil && old.Joins(r.Header) {
		q, _ := old.part()
		if all := (rfc9111.Part{Start: min(p.Start, q.Start), End: max(p.End, q.End), Size: p.Size}); all.End-all.Start <= limit {
			r.takeFields(old.Header)
			body := make([]byte, all.End-all.Start)
			copy(body[q.Start-all.Start:], old.Body)
			copy(body[p.Start-all.Start:], r.Body)
			r.Body, p = body, all
			r.Header["Content-Range"] = []string{p.ContentRange()}
		}
	}
	delete(r.Header, "Content-Length")
	if p.Whole() {
		r.Status = http.StatusOK
		delete(r.Header, "Content-Range")
	}
}

// takeFields takes the fields that the newer answer does not have.
func (r *Response) takeFields(old http.Header) {
	for name, lines := range old {
		if _, there := r.Header[name]; !there && name != "Age" {
			r.Header[name] = lines
		}
	}
}
