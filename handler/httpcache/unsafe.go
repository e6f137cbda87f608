package httpcache

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
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
	o := &observer{ResponseWriter: w, limit: c.cfg.Advanced.MaxBody}
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
	cfg := c.cfg
	l := locate(r)
	key, ok := l.sameOrigin(r.URL, h.Get("Content-Location"))
	if !ok || cfg.Key != nil || status != http.StatusOK || key != l.key(r.URL.EscapedPath(), r.URL.RawQuery) {
		return false
	}
	d, targeted := rfc9111.ResponseDirectives(h, cfg.Advanced.Targets)
	_, explicit := rfc9111.Lifetime(status, h, d, targeted)
	names, _ := rfc9111.VaryOf(h)
	return explicit && len(names) == 0 && cfg.sharing().Refuses(r.Header, status, h, time.Now()) == ""
}

func (c *cacher) storePost(r *http.Request, o *observer, asked time.Time) {
	now := time.Now()
	resp := record.New(http.StatusOK, o.frozen, nil, o.body, asked, now)
	d, _ := rfc9111.ResponseDirectives(resp.Header, c.cfg.Advanced.Targets)
	rfc9111.DropListed(resp.Header, d)
	rfc9111.TakePersonal(resp.Header, c.cfg.Advanced.NeverReplay)
	v := rfc9111.Assess(resp.Stored, c.cfg.Advanced.Targets, now)
	if len(c.route.TakeTags(resp.Header)) > 0 || v.Lifetime <= v.Age || v.NoCache || !o.whole() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), invalidationTimeout)
	defer cancel()
	// What cannot be stored is loaded by the next GET.
	_ = c.route.Cache.Set(ctx, locate(r).key(r.URL.EscapedPath(), r.URL.RawQuery), resp,
		strategies.TTL(v.Lifetime-v.Age), strategies.StaleIfError(c.cfg.Advanced.Keep), strategies.Tags(c.cfg.tags(r)...))
}

// invalidate voids the stored responses that an answer says have changed.
func (c *cacher) invalidate(r *http.Request, status int, h http.Header) {
	if status < 200 || status > 399 {
		return
	}
	l := locate(r)
	keys := []string{l.key(r.URL.EscapedPath(), r.URL.RawQuery)}
	if c.cfg.Key != nil {
		keys = []string{c.cfg.Key(r)}
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
	_, _ = c.route.Store.Invalidate(ctx, invalidate.Key(c.cfg, keys...))
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
