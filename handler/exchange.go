package handler

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
)

// exchange is one request under a preset.
type exchange struct {
	route.Exchange
	cfg *Config
}

func newExchange(cfg *Config, on *route.Route, next http.Handler, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{cfg: cfg}
	x.Exchange = route.Exchange{Route: on, Rules: x, Next: next, W: w, R: r, Key: cfg.key(r), Tags: cfg.tags(r), Began: time.Now()}
	if len(x.Tags) < len(cfg.Tags) {
		on.WarnOfTags(r, cfg.Tags, func(name string) bool { _, declared := cfg.Query[name]; return declared })
	}
	return x
}

// serve asks the cache, a second time if the handler confirmed an answer that
// is not the stored one: then for a whole one.
func (x *exchange) serve() {
	if said, passes := x.Passes(); passes {
		if h := x.W.Header(); !said && len(h["Cache-Control"]) == 0 {
			h.Set("Cache-Control", route.OnlyPrivate) // until the handler says otherwise, as on its first answer
		}
		x.Direct("hit-for-pass")
		return
	}
	for range 2 {
		a := x.Ask(x.cfg.Vary)
		if a == nil {
			return
		}
		if a.Out == nil || !a.Out.Again {
			x.Answer(a, a.Verdict())
			return
		}
		x.Turn = route.Turn{Whole: true, Fresh: true}
	}
	x.Direct("undecided")
}

// Load asks the handler: a preset has no other way to answer a miss.
func (x *exchange) Load(ctx context.Context, job *route.Job) (*record.Response, error) {
	return job.Ask(ctx)
}

// Request is a request that holds nothing that could change the answer without
// being in the key.
func (x *exchange) Request() *http.Request {
	inner := route.Bare(x.R)
	x.cfg.reduce(inner, x.R)
	return inner
}

// reduce takes from inner all that is not in the key of r and might change the
// answer.
func (c Config) reduce(inner, r *http.Request) {
	known := c.identityOf(r) != ""
	for name := range inner.Header {
		if !c.passes(name, known) {
			delete(inner.Header, name)
		}
	}
	inner.Method, inner.RemoteAddr, inner.TransferEncoding, inner.Trailer = http.MethodGet, nowhere, nil, nil
	inner.Proto, inner.ProtoMajor, inner.ProtoMinor = "HTTP/1.1", 1, 1
	if !c.ByHost {
		inner.TLS = nil
	}
	if c.Key != nil {
		return
	}
	inner.URL.RawQuery = c.canonicalQuery(r)
	inner.URL.ForceQuery, inner.URL.Fragment, inner.URL.User = false, "", nil
	if inner.RequestURI = askedPath(r); inner.URL.RawQuery != "" {
		inner.RequestURI += "?" + inner.URL.RawQuery
	}
	if !c.ByHost {
		inner.Host, inner.URL.Host, inner.URL.Scheme = "", "", ""
	}
}

// nowhere is the address of a preset's client: it can be parsed, and nobody
// grants it anything.
const nowhere = "0.0.0.0:0"

// Confirm asks whether the stored answer still holds.
func (x *exchange) Confirm(inner *http.Request, old *record.Response) bool {
	return rfc9111.AskAgain(inner.Header, old.Header)
}

// Refuses says why an answer is not stored.
func (x *exchange) Refuses(_ *http.Request, status int, h http.Header, _ time.Time) rfc9111.Refusal {
	return x.cfg.refuses(status, h)
}

// Lasting: the next answer to this key is likely to be refused as well.
func (x *exchange) Lasting(http.Header) bool { return true }

// FallsBack reports whether an old answer takes the place of an error (RFC 5861
// section 4).
func (x *exchange) FallsBack(job *route.Job) bool {
	at, window := job.StoredAt(), x.cfg.StaleIfError
	return window > 0 && !at.IsZero() && time.Since(at) <= x.cfg.TTL+window
}

// Complete gives an answer an entity tag if it has none.
func (x *exchange) Complete(job *route.Job, resp *record.Response, out *route.Outcome) {
	out.Validated = identify(resp, job.Old)
	resp.Vary, resp.Variant = x.cfg.Vary, x.Variant(x.cfg.Vary)
}

// identify gives a preset's answer an entity tag if it has none. A handler
// that ignores conditions and answers with the same body has confirmed it.
func identify(resp, old *record.Response) (validated bool) {
	h := resp.Header
	if old != nil && old.Status == resp.Status && bytes.Equal(old.Body, resp.Body) {
		validated = true
		for _, name := range [...]string{"Etag", "Last-Modified"} {
			if stored := old.Header[name]; len(h[name]) == 0 && len(stored) > 0 {
				h[name] = stored
			}
		}
	}
	if len(h["Etag"]) == 0 && resp.Status == http.StatusOK {
		h["Etag"] = []string{record.EtagOf(resp.Body)}
	}
	return validated
}

// Live gives a negative answer the lifetime that those have.
func (x *exchange) Live(job *route.Job, resp *record.Response) {
	if negative(resp.Status) {
		job.SetTTL(x.cfg.Negative)
		job.SetStaleWhileRevalidate(0)
		job.SetStaleIfError(0)
	}
}

// Downstream says what caches behind this one may do with the answer.
func (x *exchange) Downstream(f *record.Fields, stored bool, left time.Duration) {
	switch {
	case stored:
		x.cfg.downstream(f, x.R, left)
	case len(f.Header["Cache-Control"]) == 0:
		f.Set("Cache-Control", route.OnlyPrivate)
	}
}

// refuses says why an answer is not stored: what the handler says against storing
// is believed, the lifetime is the preset's.
func (c Config) refuses(status int, h http.Header) rfc9111.Refusal {
	if why := rfc9111.NeverStored(status, h); why != "" {
		return why
	}
	if status == http.StatusPartialContent || status >= http.StatusMultipleChoices && !(negative(status) && c.Negative > 0) {
		return rfc9111.RefuseStatus
	}
	d := rfc9111.ParseCacheControl(h["Cache-Control"])
	switch {
	case d.Broken:
		return rfc9111.RefuseBroken
	case d.NoStore:
		return rfc9111.RefuseNoStore
	case d.Private || len(d.PrivateFields) > 0:
		return rfc9111.RefusePrivate
	case len(h["Set-Cookie"]) > 0 && !c.Advanced.StoreSetCookie:
		return rfc9111.RefuseCookie
	case rfc9111.HasNonce(h):
		return rfc9111.RefuseNonce
	}
	return rfc9111.Forbidden(h, d)
}

func negative(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }

// downstream writes what caches behind this one may do with a preset's answer,
// unless the handler has said it.
func (c Config) downstream(f *record.Fields, r *http.Request, left time.Duration) {
	if len(f.Header["Cache-Control"]) == 0 {
		f.Set("Cache-Control", c.browsers(c.identityOf(r) != ""))
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
		f.Set(http.CanonicalHeaderKey(field), value)
	}
	if tags := c.tags(r); cdn.TagField != "" && len(tags) > 0 {
		separator := ","
		if strings.EqualFold(cdn.TagField, "Surrogate-Key") {
			separator = " "
		}
		f.Set(http.CanonicalHeaderKey(cdn.TagField), strings.Join(tags, separator))
	}
}

// browsers says how long a client may keep an answer without asking: by default not
// at all, so that it sees invalidations.
func (c Config) browsers(private bool) string {
	keep := c.Advanced.MaxAge
	switch {
	case keep > 0 && private:
		return "private, max-age=" + secondsText(keep)
	case keep > 0:
		return "public, max-age=" + secondsText(keep)
	case private:
		return "private, max-age=0, must-revalidate"
	}
	return "public, max-age=0, must-revalidate"
}

func secondsText(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
