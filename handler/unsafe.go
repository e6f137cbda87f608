package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/cldcde/restash/invalidate"
)

// invalidationTimeout bounds how long an unsafe request waits until what it
// changed is invalidated.
const invalidationTimeout = 2 * time.Second

// unsafe runs a request that may change what is stored, and invalidates its
// target and what the answer names as changed before the client sees the
// answer (RFC 9111 section 4.4).
func (c *cacher) unsafe(w http.ResponseWriter, r *http.Request) {
	o := &observer{ResponseWriter: w, header: func(status int, h http.Header) { c.invalidate(r, status, h) }}
	c.next.ServeHTTP(o, r)
	if !o.wrote { // the server will write 200
		o.wrote = true
		o.header(http.StatusOK, o.Header())
	}
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

// observer calls header once, before the final header is sent.
type observer struct {
	http.ResponseWriter
	header func(status int, h http.Header)
	wrote  bool
}

// WriteHeader passes the first final status on.
func (o *observer) WriteHeader(status int) {
	if o.wrote {
		return
	}
	if final := status >= 200 || status == http.StatusSwitchingProtocols; final {
		o.wrote = true
		o.header(status, o.Header())
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write sends the body.
func (o *observer) Write(p []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
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
