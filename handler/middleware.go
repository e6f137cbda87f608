package handler

import (
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// Cache returns a middleware that answers from store what it can, and stores
// what the wrapped handler answers, as cfg says. It panics if cfg is wrong, as
// http.ServeMux does. Put it around a route's handler, inside the mux: then the
// route's path values make the key. The same cfg used twice with one Store is
// the same cache; use one cfg for routes that give the same answers only.
//
// What cannot be answered from the cache, or must not, bypasses it: the
// wrapped handler then writes to the client itself. Nothing that the cache
// does wrong, and no outage of Redis, keeps the handler from answering.
//
// The handler always runs in its request's own goroutine, within ServeHTTP: a
// router may take back what the request holds when that returns. A client that
// leaves does not end a run whose answer others wait for. A stale answer is
// refreshed behind it, for at most the inline budget (300 ms by default): the
// client has the answer by then, but ServeHTTP has not returned.
func Cache(store *strategies.Store, cfg Config) func(http.Handler) http.Handler {
	cfg, r := cfg.route(store, true)
	return func(next http.Handler) http.Handler { return &cacher{cfg: &cfg, route: r, next: next} }
}

type cacher struct {
	cfg   *Config
	route *route.Route
	next  http.Handler
}

// ServeHTTP answers from the cache or passes on.
func (c *cacher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m := c.route.MarkOf(r.Context()); m != nil {
		c.warm(m, r)
		return
	}
	if way := c.cfg.way(r); way != route.ThroughCache {
		c.route.Around(w.Header(), way)
		defer c.route.Count.Bypass.Since(time.Now())
		c.next.ServeHTTP(w, r)
		return
	}
	newExchange(c.cfg, c.route, c.next, w, r).serve()
}

// way decides whether a request goes through the cache.
func (c Config) way(r *http.Request) route.Way {
	if way := route.WayOf(r, c.Skip); way != route.ThroughCache {
		return way
	}
	if !c.Public && c.identityOf(r) == "" && c.credentials(r) {
		return route.ByUser
	}
	return route.ThroughCache
}

// warm serves a marked request: it reports the key, or hands over the answer.
func (c *cacher) warm(m *route.Mark, r *http.Request) {
	m.Key, m.Tags = c.cfg.key(r), c.cfg.tags(r)
	switch m.Want {
	case route.WantServed:
		m.Serve(r, func(w http.ResponseWriter, r *http.Request) {
			x := newExchange(c.cfg, c.route, c.next, w, r)
			x.Warming = m
			x.serve()
		})
	case route.WantAnswer:
		c.produce(m, route.Unmarked(r))
	}
}

// produce runs the handler as a load would, without a client.
func (c *cacher) produce(m *route.Mark, r *http.Request) {
	x := newExchange(c.cfg, c.route, c.next, nil, r)
	asked := x.Request()
	requested, received := time.Now(), time.Now()
	rec := record.NewCapture(nil, nil, x.MaxBody)
	rec.Passing = func(rfc9111.Refusal) {}
	rec.Decide = func(status int, h http.Header) record.Fate {
		received = time.Now()
		return record.Fate{Why: c.cfg.refuses(status, h)}
	}
	func() {
		done := false
		defer func() { rec.Finish(!done, asked.Context().Err() != nil) }()
		c.next.ServeHTTP(rec, asked)
		done = true
	}()
	if m.Why = rec.Why(); m.Why == "" && negative(rec.Status()) {
		m.Why = rfc9111.RefuseStatus // it has a lifetime of its own
	}
	if m.Why != "" {
		return
	}
	m.Resp = rec.Response(requested, received)
	rfc9111.TakePersonal(m.Resp.Header, x.NeverReplay)
	m.Late = len(x.TakeTags(m.Resp.Header)) > 0
	m.Resp.Vary, m.Resp.Variant = c.cfg.Vary, x.Variant(c.cfg.Vary)
	identify(m.Resp, nil)
}
