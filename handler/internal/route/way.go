package route

import (
	"net/http"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Way is how a request goes. The zero Way is through the cache.
type Way struct {
	state string // of Cache-Status: why it goes around the cache
	// private says that the answer may be one user's.
	private bool
	// Unsafe says that it may change what is stored.
	Unsafe bool
}

// The ways around the cache.
var (
	ThroughCache = Way{}
	ByUser       = Way{state: "bypass; detail=credentials", private: true}
	ByRequest    = Way{state: "request; detail=" + string(rfc9111.RefuseForbidden)}

	byMethod    = Way{state: "method"}
	byUnsafe    = Way{state: "method", Unsafe: true}
	byBody      = Way{state: "bypass; detail=request-body"}
	bySkip      = Way{state: "bypass; detail=skip"}
	byUpgrade   = Way{state: "bypass; detail=upgrade"}
	byCondition = Way{state: "bypass; detail=condition"}
)

// WayOf says of which requests no cache can answer.
func WayOf(r *http.Request, skip func(*http.Request) bool) Way {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions, http.MethodTrace:
		return byMethod
	default:
		return byUnsafe
	}
	switch {
	case skip != nil && skip(r):
		return bySkip
	case len(r.Header["Upgrade"]) > 0:
		return byUpgrade
	case hasBody(r):
		return byBody // the body is in no key
	case rfc9111.ForOriginOnly(r.Header):
		return byCondition
	}
	return ThroughCache
}

func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && (r.ContentLength != 0 || len(r.TransferEncoding) > 0)
}

// OnlyPrivate is what clients are told of an answer that may be one user's.
var OnlyPrivate = []string{"private, no-cache"}

var bypassState = []string{"BYPASS"}

// Around marks the answer to a request that goes around the cache.
func (r *Route) Around(h http.Header, way Way) {
	r.Count.Bypass.Add(1)
	h["X-Cache"] = bypassState
	h["Cache-Status"] = []string{cacheName + "; fwd=" + way.state}
	if way.private && len(h["Cache-Control"]) == 0 {
		h["Cache-Control"] = OnlyPrivate // until the handler says otherwise
	}
}

// Bare is r for a handler whose answer may be stored: without body and conditions.
func Bare(r *http.Request) *http.Request {
	inner := r.Clone(r.Context())
	inner.Body, inner.ContentLength = http.NoBody, 0
	inner.Form, inner.PostForm, inner.MultipartForm = nil, nil, nil
	for _, name := range rfc9111.Conditions {
		delete(inner.Header, name)
	}
	return inner
}
