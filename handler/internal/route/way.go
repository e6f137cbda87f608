package route

import (
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/strategies"
)

// Way is how a request goes. The zero Way is through the cache.
type Way struct {
	fwd, detail string // the words of Cache-Status
	// private says that the answer may be one user's.
	private bool
	// Unsafe says that it may change what is stored.
	Unsafe bool
}

// The ways around the cache.
var (
	ThroughCache = Way{}
	ByUser       = Way{fwd: "bypass", detail: "credentials", private: true}
	ByRequest    = Way{fwd: "request", detail: string(rfc9111.RefuseForbidden)}

	byMethod    = Way{fwd: "method"}
	byUnsafe    = Way{fwd: "method", Unsafe: true}
	byBody      = Way{fwd: "bypass", detail: "request-body"}
	bySkip      = Way{fwd: "bypass", detail: "skip"}
	byUpgrade   = Way{fwd: "bypass", detail: "upgrade"}
	byCondition = Way{fwd: "bypass", detail: "condition"}
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
const OnlyPrivate = "private, no-cache"

// word is the reason as it is counted.
func (w Way) word() string {
	if w.detail != "" {
		return w.detail
	}
	return w.fwd
}

// status is a member of Cache-Status.
func (w Way) status() string {
	if w.detail != "" {
		return cacheName + "; fwd=" + w.fwd + "; detail=" + w.detail
	}
	return cacheName + "; fwd=" + w.fwd
}

// Around marks the answer to a request that goes around the cache.
func (r *Route) Around(h http.Header, way Way) {
	tick(r.history, r.Store, time.Now())
	r.Count.BypassReasons.add(way.word())
	f := record.FieldsOf(h, 3)
	f.Set("X-Cache", strategies.Bypass.String())
	f.Set("Cache-Status", way.status())
	if way.private && len(h["Cache-Control"]) == 0 {
		f.Set("Cache-Control", OnlyPrivate) // until the handler says otherwise
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
