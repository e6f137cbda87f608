package handler

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window is the part of a body that a client gets while the handler writes all
// of it. The zero window is the whole body.
type window struct {
	on             bool
	at, start, end int
}

// of is what of p, the next bytes of the body, is inside.
func (w *window) of(p []byte) []byte {
	if !w.on {
		return p
	}
	from, to := w.start-w.at, w.end-w.at
	w.at += len(p)
	return p[min(max(from, 0), len(p)):max(min(to, len(p)), min(max(from, 0), len(p)))]
}

// passed shapes an answer that is sent as it is written as the handler would have: it was
// asked without the client's conditions and range, so that its answer could
// have been. Only what the handler says of its answer is used: a validator, and
// that it has ranges.
func passed(asked *http.Request, status int, h http.Header) (int, window) {
	if status != http.StatusOK || asked.Method != http.MethodGet && asked.Method != http.MethodHead {
		return status, window{}
	}
	if unchanged(asked.Header, h) {
		for _, name := range [...]string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Range"} {
			delete(h, name)
		}
		return http.StatusNotModified, window{on: true}
	}
	size, err := strconv.Atoi(h.Get("Content-Length"))
	if err != nil || asked.Method != http.MethodGet || !strings.EqualFold(h.Get("Accept-Ranges"), "bytes") ||
		!wantsRange(asked.Header, &response{status: status, header: h}) {
		return status, window{}
	}
	r, ok := parseRange(asked.Header.Get("Range"), size)
	if !ok {
		return status, window{}
	}
	h["Content-Range"] = []string{contentRange(r, size)}
	h["Content-Length"] = []string{strconv.Itoa(r.end - r.start)}
	if r.start == r.end {
		return http.StatusRequestedRangeNotSatisfiable, window{on: true}
	}
	return http.StatusPartialContent, window{on: true, start: r.start, end: r.end}
}

// unchanged is [notModified] for an answer that has the validator that is asked for.
func unchanged(asked, answer http.Header) bool {
	if len(asked["If-None-Match"]) > 0 {
		return answer.Get("Etag") != "" && notModified(asked, answer, time.Time{})
	}
	return answer.Get("Last-Modified") != "" && notModified(asked, answer, time.Time{})
}
