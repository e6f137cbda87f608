package handler

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// write sends a response: whole, a range of it, or that the client has it.
// made says that the handler has just made it, for this request.
func (x *exchange) write(resp *response, v verdict, made bool, now time.Time) {
	h := x.w.Header()
	merge(h, resp.header)
	cfg := x.p.cfg
	if cfg.preset() {
		cfg.downstream(h, x.r, v.ttl)
	}
	if !made {
		h["Age"] = []string{strconv.Itoa(int(resp.age(now) / time.Second))}
	}
	v.write(h)
	status, body := x.shape(resp, h)
	if bodyAllowed(status) {
		x.announceTrailers(resp, h, len(body))
	} else {
		delete(h, "Content-Length")
	}
	x.w.WriteHeader(status)
	if x.r.Method == http.MethodHead || !bodyAllowed(status) {
		return
	}
	if _, err := x.w.Write(body); err != nil {
		return // the client has left
	}
	for name, lines := range resp.trailer {
		h[http.TrailerPrefix+name] = lines
	}
}

// shape decides between the whole response, a 304 and a range.
func (x *exchange) shape(resp *response, h http.Header) (status int, body []byte) {
	asked := x.r.Header
	if resp.status != http.StatusOK {
		return resp.status, resp.body
	}
	if notModified(asked, resp.header, resp.received) {
		for _, name := range [...]string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range"} {
			delete(h, name)
		}
		return http.StatusNotModified, nil
	}
	if x.r.Method == http.MethodGet && wantsRange(asked, resp) {
		if r, ok := parseRange(asked.Get("Range"), len(resp.body)); ok {
			return cut(resp, r, h)
		}
	}
	if len(h["Accept-Ranges"]) == 0 && x.p.cfg.preset() {
		h["Accept-Ranges"] = []string{"bytes"}
	}
	return resp.status, resp.body
}

// cut answers with a range, or with 416 for one outside the body.
func cut(resp *response, r byteRange, h http.Header) (status int, body []byte) {
	h["Content-Range"] = []string{contentRange(r, len(resp.body))}
	if r.start == r.end {
		delete(h, "Content-Type")
		delete(h, "Content-Encoding")
		return http.StatusRequestedRangeNotSatisfiable, nil
	}
	return http.StatusPartialContent, resp.body[r.start:r.end]
}

// announceTrailers sets the length of the body, or the names of the trailers,
// which need a body without a length.
func (x *exchange) announceTrailers(resp *response, h http.Header, length int) {
	if len(resp.trailer) == 0 || x.r.Method == http.MethodHead {
		h["Content-Length"] = []string{strconv.Itoa(length)}
		return
	}
	delete(h, "Content-Length")
	names := make([]string, 0, len(resp.trailer))
	for name := range resp.trailer {
		names = append(names, name)
	}
	h["Trailer"] = []string{strings.Join(names, ", ")}
}

// askEachTime lets browsers keep an answer but ask whether it still holds, so
// that they see invalidations.
var askEachTime = []string{"public, max-age=0, must-revalidate"}

// downstream writes what caches behind this one may do with a preset's answer,
// unless the handler has said it.
func (c Config) downstream(h http.Header, r *http.Request, left time.Duration) {
	if len(h["Cache-Control"]) == 0 {
		h["Cache-Control"] = c.browsers(c.identityOf(r) != "")
	}
	cdn := c.Advanced.CDN
	if cdn.TTL <= 0 || c.identityOf(r) != "" {
		return
	}
	value := "max-age=" + secondsText(min(cdn.TTL, max(left, 0)))
	if cdn.StaleWhileRevalidate > 0 {
		value += ", stale-while-revalidate=" + secondsText(cdn.StaleWhileRevalidate)
	}
	for _, field := range cdn.Fields {
		h.Set(field, value)
	}
	if tags := c.tags(r); cdn.TagField != "" && len(tags) > 0 {
		separator := ","
		if strings.EqualFold(cdn.TagField, "Surrogate-Key") {
			separator = " "
		}
		h.Set(cdn.TagField, strings.Join(tags, separator))
	}
}

// browsers says how long a client may keep an answer without asking.
func (c Config) browsers(private bool) []string {
	whose := "public"
	if private {
		whose = "private"
	} else if c.Advanced.MaxAge <= 0 {
		return askEachTime
	}
	if keep := c.Advanced.MaxAge; keep > 0 {
		return []string{whose + ", max-age=" + secondsText(keep)}
	}
	return []string{whose + ", max-age=0, must-revalidate"}
}

func secondsText(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// responseTags are the tags that a response names in its fields.
func (c Config) responseTags(h http.Header) []string {
	var tags []string
	for _, field := range c.Advanced.TagFields {
		for _, member := range list(h[field]) {
			tags = append(tags, strings.Fields(member)...)
		}
	}
	return tags
}

func (c Config) dropTagFields(h http.Header) {
	for _, field := range c.Advanced.TagFields {
		delete(h, field)
	}
}
