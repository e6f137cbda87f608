package handler

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// invalidationTimeout bounds how long an unsafe request waits until what it
// changed is invalidated.
const invalidationTimeout = 2 * time.Second

// unsafe runs a request that may change what is stored, and invalidates its
// target and what the answer names as changed before the client sees the
// answer (RFC 9111 section 4.4). The answer to a POST that says that it is what
// a GET of the same URL gets, and for how long, is stored as that (RFC 9110
// section 9.3.3).
func (c *cacher) unsafe(w http.ResponseWriter, r *http.Request) {
	asked := time.Now()
	o := &observer{ResponseWriter: w, limit: c.p.cfg.Advanced.MaxBody}
	o.header = func(status int, h http.Header) {
		c.invalidate(r, status, h)
		o.keep = r.Method == http.MethodPost && c.representsTarget(r, status, h)
	}
	c.next.ServeHTTP(o, r)
	if !o.wrote { // the server will write 200
		o.begin(http.StatusOK)
	}
	if o.keep {
		c.storePost(r, o, asked)
	}
}

// representsTarget reports whether the answer to a POST may be stored for GET.
func (c *cacher) representsTarget(r *http.Request, status int, h http.Header) bool {
	cfg := c.p.cfg
	l := locate(r)
	key, ok := l.sameOrigin(r.URL, h.Get("Content-Location"))
	if !ok || cfg.Key != nil || status != http.StatusOK || key != l.key(r.URL.EscapedPath(), r.URL.RawQuery) {
		return false
	}
	d, targeted := responseDirectives(h, cfg.Advanced.Targets)
	_, explicit := lifetime(status, h, d, targeted)
	names, _ := varyOf(h)
	return explicit && len(names) == 0 && cfg.storable(r, status, h, time.Now()) == ""
}

func (c *cacher) storePost(r *http.Request, o *observer, asked time.Time) {
	now := time.Now()
	resp := newResponse(http.StatusOK, o.frozen, nil, o.body, asked, now)
	d, _ := responseDirectives(resp.header, c.p.cfg.Advanced.Targets)
	dropListed(resp.header, d)
	v := assess(resp, c.p.cfg.Advanced.Targets, now)
	if len(c.p.cfg.responseTags(resp.header)) > 0 || v.lifetime <= v.age || v.noCache || !o.whole() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), invalidationTimeout)
	defer cancel()
	// What cannot be stored is loaded by the next GET.
	_ = c.p.cache.Set(ctx, locate(r).key(r.URL.EscapedPath(), r.URL.RawQuery), resp,
		strategies.TTL(v.lifetime-v.age), strategies.StaleIfError(c.p.cfg.Advanced.Keep), strategies.Tags(c.p.cfg.tags(r)...))
}

// invalidate voids the stored responses that an answer says have changed.
func (c *cacher) invalidate(r *http.Request, status int, h http.Header) {
	if status < 200 || status > 399 {
		return
	}
	l := locate(r)
	keys := []string{l.key(r.URL.EscapedPath(), r.URL.RawQuery)}
	if c.p.cfg.Key != nil {
		keys = []string{c.p.cfg.Key(r)}
	} else {
		for _, field := range [...]string{"Location", "Content-Location"} {
			if key, ok := l.sameOrigin(r.URL, h.Get(field)); ok {
				keys = append(keys, key)
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), invalidationTimeout)
	defer cancel()
	// What is not confirmed stays pending in the Store, which sends it again
	// before its next command; the answer does not fail for it.
	_, _ = c.p.store.Invalidate(ctx, invalidate.Key(c.p.cfg, keys...))
}

// observer calls header once, before the final header is sent, and records the
// body while keep is set.
type observer struct {
	http.ResponseWriter
	header func(status int, h http.Header)
	wrote  bool

	keep   bool
	limit  int
	frozen http.Header
	body   []byte
}

func (o *observer) begin(status int) {
	o.wrote = true
	o.frozen = o.Header().Clone()
	o.header(status, o.frozen)
}

func (o *observer) whole() bool {
	declared := o.frozen.Get("Content-Length")
	return declared == "" || declared == strconv.Itoa(len(o.body))
}

// WriteHeader passes the first final status on.
func (o *observer) WriteHeader(status int) {
	if o.wrote {
		return
	}
	if final := status >= 200 || status == http.StatusSwitchingProtocols; final {
		o.begin(status)
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write sends the body.
func (o *observer) Write(p []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	if o.keep = o.keep && len(o.body)+len(p) <= o.limit; o.keep {
		o.body = append(o.body, p...)
	}
	return o.ResponseWriter.Write(p)
}

// FlushError sends what was written.
func (o *observer) FlushError() error {
	o.WriteHeader(http.StatusOK)
	return http.NewResponseController(o.ResponseWriter).Flush()
}

// Flush is for handlers that ask for an http.Flusher.
func (o *observer) Flush() { _ = o.FlushError() }

// Unwrap is for http.ResponseController.
func (o *observer) Unwrap() http.ResponseWriter { return o.ResponseWriter }
