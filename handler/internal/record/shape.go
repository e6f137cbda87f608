package record

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Window is the part of a body that a client gets while the handler writes all
// of it. The zero window is the whole body.
type Window struct {
	on             bool
	at, start, end int
}

// of is what of p, the next bytes of the body, is inside.
func (w *Window) of(p []byte) []byte {
	if !w.on {
		return p
	}
	from, to := w.start-w.at, w.end-w.at
	w.at += len(p)
	return p[min(max(from, 0), len(p)):max(min(to, len(p)), min(max(from, 0), len(p)))]
}

// shaped shapes an answer that is sent as it is written as the handler would have: it was
// asked without the client's conditions and range, so that its answer could
// have been. Only what the handler says of its answer is used: a validator, and
// that it has ranges.
func shaped(asked *http.Request, status int, h http.Header) (int, Window) {
	if status != http.StatusOK && status != http.StatusPartialContent || asked.Method != http.MethodGet && asked.Method != http.MethodHead {
		return status, Window{}
	}
	if unchanged(asked.Header, h) {
		for _, name := range [...]string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Range"} {
			delete(h, name)
		}
		return http.StatusNotModified, Window{on: true}
	}
	size, err := strconv.Atoi(h.Get("Content-Length"))
	if status != http.StatusOK || err != nil || asked.Method != http.MethodGet || !strings.EqualFold(h.Get("Accept-Ranges"), "bytes") ||
		!rfc9111.WantsRange(asked.Header, status, h) {
		return status, Window{}
	}
	r, ok := rfc9111.ParseRange(asked.Header.Get("Range"), size)
	if !ok {
		return status, Window{}
	}
	h["Content-Range"] = []string{rfc9111.ContentRange(r, size)}
	h["Content-Length"] = []string{strconv.Itoa(r.End - r.Start)}
	if r.Start == r.End {
		return http.StatusRequestedRangeNotSatisfiable, Window{on: true}
	}
	return http.StatusPartialContent, Window{on: true, start: r.Start, end: r.End}
}

// unchanged is [notModified] for an answer that has the validator that is asked for.
func unchanged(asked, answer http.Header) bool {
	if len(asked["If-None-Match"]) > 0 {
		return answer.Get("Etag") != "" && rfc9111.NotModified(asked, answer, time.Time{})
	}
	return answer.Get("Last-Modified") != "" && rfc9111.NotModified(asked, answer, time.Time{})
}
