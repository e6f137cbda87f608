package httpcache

import (
	"context"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

// Cache returns a middleware that answers from store what it may, and stores
// what the wrapped handler's answers allow. It panics if cfg is wrong, as
// http.ServeMux does. The same cfg used twice with one Store is the same cache;
// use one cfg for handlers that give the same answers only.
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
	lists := &varyLists{known: cfg.Vary}
	return func(next http.Handler) http.Handler { return &cacher{cfg: cfg, route: r, lists: lists, next: next} }
}

// route checks cfg and finds its route, for mounting or for warming.
func (c Config) route(store *strategies.Store, mount bool) (Config, *route.Route) {
	if err := c.check(); err != nil {
		panic(err.Error())
	}
	c = c.withDefaults()
	return c, route.For(store, c.settings(), mount)
}

// ServeHTTP answers from the cache or passes on.
func (c *cacher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m := c.route.MarkOf(r.Context()); m != nil {
		if m.Key = c.cfg.key(r); m.Want == route.WantServed {
			m.Serve(r, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, m) })
		}
		return
	}
	way := c.cfg.way(r)
	if way == route.ThroughCache {
		c.serve(w, r, nil)
		return
	}
	c.route.Around(w.Header(), way)
	defer c.route.Count.Bypass.Since(time.Now())
	if way.Unsafe {
		c.unsafe(w, r)
		return
	}
	c.next.ServeHTTP(w, r)
}

// way decides whether a request goes through the cache.
func (c Config) way(r *http.Request) route.Way {
	if way := route.WayOf(r, c.Skip); way != route.ThroughCache {
		return way
	}
	if lines := r.Header["Cache-Control"]; len(lines) > 0 && rfc9111.ParseCacheControl(lines).NoStore {
		return route.ByRequest
	}
	return route.ThroughCache
}

// Warm is a step that fills the cache cfg with the answers of h, the whole
// application, to GET requests for the given URLs. They go through h as a
// client's would, one by one.
//
// A URL that does not lead to the cache, and an answer that may not be stored,
// count as failed and stop nothing.
func Warm(cfg Config, h http.Handler, urls ...string) warm.Step {
	all := func(context.Context) ([]string, error) { return urls, nil }
	return warm.Batches("cache "+cfg.Name(), all, func(ctx context.Context, store *strategies.Store, part []string) (strategies.WarmReport, error) {
		cfg, r := cfg.route(store, false)
		report := strategies.WarmReport{Errors: map[string]error{}}
		for _, u := range part {
			for _, encoding := range cfg.Advanced.Encodings {
				if err := ctx.Err(); err != nil {
					return report, err
				}
				if !r.WarmServed(ctx, h, &report, route.Target{URL: u, Header: route.Encoded(encoding)}) {
					break // the others get the same
				}
			}
		}
		return report, nil
	})
}
