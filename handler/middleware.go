package handler

import (
	"net/http"
	"slices"
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
// The handler always runs in its request's own goroutine, within ServeHTTP: a
// router may take back what the request holds when that returns. A client that
// leaves does not end a run whose answer others wait for. A stale answer is
// refreshed behind it, for at most the inline budget (300 ms by default): the
// client has the answer by then, but ServeHTTP has not returned.
func Cache(store *strategies.Store, cfg Config) func(http.Handler) http.Handler {
	p := presetFor(store, cfg, true)
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
	bySkip       = way{state: "bypass; detail=skip"}
	byUpgrade    = way{state: "bypass; detail=upgrade"}
	byCondition  = way{state: "bypass; detail=condition"}
	byRequest    = way{state: "request; detail=" + string(refuseForbidden)}
)

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
	case c.Skip != nil && c.Skip(r):
		return bySkip
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
	if !c.Public && c.identityOf(r) == "" && c.credentials(r) {
		return byUser
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
	if way.private && len(h["Cache-Control"]) == 0 {
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
	c.reduce(inner, r)
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

// selecting are the request fields that can select a variant: those that the
// handler sees.
func (c Config) selecting(h http.Header) http.Header {
	seen := make(http.Header, len(h))
	for name, lines := range h {
		if !slices.Contains(conditions, name) && name != "Range" {
			seen[name] = lines
		}
	}
	return seen
}

func isRange(h http.Header) bool { return len(h["Range"]) > 0 && strings.Join(h["Range"], "") != "" }
