package route

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// added is about how many fields an answer has besides the stored ones.
const added = 8

// write sends a response: whole, a range of it, or that the client has it.
// made says that the handler has just made it, for this request.
func (x *Exchange) write(resp *record.Response, v Verdict, made bool) {
	x.fields = *record.FieldsOf(x.W.Header(), len(resp.Header)+added)
	f := &x.fields
	f.Merge(resp.Header)
	x.Rules.Downstream(f, true, v.TTL)
	if !made {
		f.Set("Age", strconv.Itoa(int(resp.Age(time.Now())/time.Second)))
	}
	v.Write(f)
	status, body := x.shape(resp, f)
	if record.BodyAllowed(status) {
		x.announceTrailers(resp, f, len(body))
	} else {
		delete(f.Header, "Content-Length")
	}
	x.W.WriteHeader(status)
	if x.R.Method == http.MethodHead || !record.BodyAllowed(status) {
		return
	}
	if _, err := x.W.Write(body); err != nil {
		return // the client has left
	}
	for name, lines := range resp.Trailer {
		f.Set(http.TrailerPrefix+name, lines...)
	}
}

// shape decides between the whole response, a 304 and a range.
func (x *Exchange) shape(resp *record.Response, f *record.Fields) (status int, body []byte) {
	asked := x.R.Header
	if resp.Status != http.StatusOK && !resp.IsPart() {
		return resp.Status, resp.Body
	}
	if rfc9111.NotModified(asked, resp.Header, resp.Received) {
		for _, name := range [...]string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range"} {
			delete(f.Header, name)
		}
		return http.StatusNotModified, nil
	}
	if resp.IsPart() {
		return cutPart(resp, asked, f)
	}
	if x.R.Method == http.MethodGet && rfc9111.WantsRange(asked, resp.Status, resp.Header) {
		if r, ok := rfc9111.ParseRange(asked.Get("Range"), len(resp.Body)); ok {
			return cut(resp, r, f)
		}
	}
	if len(f.Header["Accept-Ranges"]) == 0 && x.Ranges {
		f.Set("Accept-Ranges", "bytes")
	}
	return resp.Status, resp.Body
}

// cut answers with a range, or with 416 for one outside the body.
func cut(resp *record.Response, r rfc9111.Range, f *record.Fields) (status int, body []byte) {
	f.Set("Content-Range", rfc9111.ContentRange(r, len(resp.Body)))
	if r.Start == r.End {
		delete(f.Header, "Content-Type")
		delete(f.Header, "Content-Encoding")
		return http.StatusRequestedRangeNotSatisfiable, nil
	}
	return http.StatusPartialContent, resp.Body[r.Start:r.End]
}

// cutPart answers with what was asked for of a stored part, or with all of what
// the handler sent instead.
func cutPart(resp *record.Response, asked http.Header, f *record.Fields) (status int, body []byte) {
	r, ok := resp.Find(asked)
	if !ok || r.End-r.Start == len(resp.Body) {
		return resp.Status, resp.Body
	}
	p, _ := rfc9111.PartOf(resp.Header)
	f.Set("Content-Range", rfc9111.Part{Start: p.Start + r.Start, End: p.Start + r.End, Size: p.Size}.ContentRange())
	return resp.Status, resp.Body[r.Start:r.End]
}

// announceTrailers sets the length of the body, or the names of the trailers,
// which need a body without a length.
func (x *Exchange) announceTrailers(resp *record.Response, f *record.Fields, length int) {
	if len(resp.Trailer) == 0 || x.R.Method == http.MethodHead {
		f.Set("Content-Length", strconv.Itoa(length))
		return
	}
	delete(f.Header, "Content-Length")
	names := make([]string, 0, len(resp.Trailer))
	for name := range resp.Trailer {
		names = append(names, name)
	}
	f.Set("Trailer", strings.Join(names, ", "))
}
