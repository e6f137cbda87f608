package handler

import (
	"net/http"
	"strings"

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
// The handler runs detached from the client when its answer may be stored, so
// that a client that leaves poisons nobody. Its panics reach the server in the
// client's own goroutine.
func Cache(store *strategies.Store, cfg Config) func(http.Handler) http.Handler {
	p := presetFor(store, cfg)
	return func(next http.Handler) http.Handler { return &cacher{p: p, next: next} }
}

type cacher struct {
	p    *preset
	next http.Handler
}

// ServeHTTP answers from the cache or passes on.
func (c *cacher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m := markOf(r.Context()); m != nil && m.preset == c.p {
		c.warm(m, r)
		return
	}
	if way := c.p.cfg.way(r); way != throughCache {
		c.around(w, r, way)
		return
	}
	x := exchange{p: c.p, next: c.next, w: w, r: r}
	x.serve()
}

// way is how a request goes.
type way struct {
	state string // of Cache-Status: why it goes around the cache
	// private says that the answer may be one user's.
	private bool
	// unsafe says that it may change what is stored.
	unsafe bool
}

var (
	throughCache = way{}
	byMethod     = way{state: "method"}
	byUnsafe     = way{state: "method", unsafe: true}
	byUser       = way{state: "bypass; detail=credentials", private: true}
	byBody       = way{state: "bypass; detail=request-body"}
	byUpgrade    = way{state: "bypass; detail=upgrade"}
	byCondition  = way{state: "bypass; detail=condition"}
	byRequest    = way{state: "request; detail=" + string(refuseForbidden)}
)

// userFields are request fields that say who asks.
var userFields = []string{"Cookie", "Authorization", "Proxy-Authorization", "X-Api-Key", "X-Auth-Token", "X-Access-Token"}

// way decides whether a request goes through the cache.
func (c Config) way(r *http.Request) way {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions, http.MethodTrace:
		return byMethod
	default:
		return byUnsafe
	}
	h := r.Header
	switch {
	case len(h["Upgrade"]) > 0:
		return byUpgrade
	case hasBody(r):
		return byBody // the body is in no key
	case forOriginOnly(h):
		return byCondition
	}
	if !c.preset() {
		if lines := h["Cache-Control"]; len(lines) > 0 && parseCacheControl(lines).noStore {
			return byRequest
		}
		return throughCache
	}
	if !c.Public {
		for _, name := range userFields {
			if len(h[name]) > 0 {
				return byUser
			}
		}
	}
	return throughCache
}

func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && (r.ContentLength != 0 || len(r.TransferEncoding) > 0)
}

// status is the Cache-Status of a request that goes around the cache.
func (w way) status() []string { return []string{cacheName + "; fwd=" + w.state} }

var (
	bypassState = []string{"BYPASS"}
	onlyPrivate = []string{"private, no-cache"}
)

// around runs the handler without the cache.
func (c *cacher) around(w http.ResponseWriter, r *http.Request, way way) {
	c.p.count.bypass.Add(1)
	h := w.Header()
	h["X-Cache"] = bypassState
	h["Cache-Status"] = way.status()
	if way.private {
		h["Cache-Control"] = onlyPrivate // until the handler says otherwise
	}
	if way.unsafe && !c.p.cfg.preset() {
		c.unsafe(w, r)
		return
	}
	c.next.ServeHTTP(w, r)
}

// innerRequest is the request that a handler gets whose answer may be stored:
// it holds nothing that could change the answer without being in the key.
func (c Config) innerRequest(r *http.Request) *http.Request {
	inner := r.Clone(r.Context())
	inner.Body, inner.ContentLength = http.NoBody, 0
	inner.Form, inner.PostForm, inner.MultipartForm = nil, nil, nil
	for _, name := range conditions {
		delete(inner.Header, name)
	}
	if !c.preset() {
		return inner
	}
	inner.Method = http.MethodGet
	delete(inner.Header, "Range")
	if c.Public {
		for _, name := range userFields {
			delete(inner.Header, name)
		}
	}
	for _, name := range overrides {
		delete(inner.Header, name)
	}
	if c.Key != nil {
		return inner
	}
	inner.URL.RawQuery = c.canonicalQuery(r)
	inner.URL.ForceQuery = false
	inner.RequestURI = inner.URL.RequestURI()
	if !c.ByHost {
		inner.Host, inner.URL.Host, inner.URL.Scheme = "", "", ""
	}
	return inner
}

// selecting are the request fields that can select a variant: those that the
// handler sees.
func (c Config) selecting(h http.Header) http.Header {
	seen := make(http.Header, len(h))
	for name, lines := range h {
		seen[name] = lines
	}
	drop := [][]string{conditions, {"Range"}}
	if c.preset() {
		drop = append(drop, overrides)
	}
	if c.Public {
		drop = append(drop, userFields)
	}
	for _, names := range drop {
		for _, name := range names {
			delete(seen, name)
		}
	}
	return seen
}

func isRange(h http.Header) bool { return len(h["Range"]) > 0 && strings.Join(h["Range"], "") != "" }
