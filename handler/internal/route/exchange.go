package route

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/strategies"
)

// Exchange is one request that goes through the cache.
type Exchange struct {
	*Route
	Rules Rules
	Next  http.Handler
	W     http.ResponseWriter
	R     *http.Request
	Key   string
	Tags  []string
	Turn  Turn
	// Began is when the request came.
	Began time.Time

	// Warming is what the request is, if it is no client's.
	Warming *Mark

	fields record.Fields // of the answer
}

// Turn is what the earlier rounds of an exchange say of the next one. An
// attempt has a copy: its load may go on while the exchange starts over.
type Turn struct {
	// Known is a stored response that this request may not take as it is; the
	// handler is asked whether it still holds.
	Known *record.Response
	// Why is the Cache-Status word for Known.
	Why string
	// Fresh says that only a new answer will do.
	Fresh bool
	// Whole says that the handler is to be asked without conditions.
	Whole bool
}

// Variant names this request's values of the given fields.
func (x *Exchange) Variant(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return rfc9111.VariantOf(names, selecting(x.R.Header))
}

// selecting are the request fields that can select a variant: those that the
// handler sees.
func selecting(h http.Header) http.Header {
	seen := make(http.Header, len(h))
	for name, lines := range h {
		if !slices.Contains(rfc9111.Conditions, name) && name != "Range" {
			seen[name] = lines
		}
	}
	return seen
}

// Restore gives h back a field that was taken from it.
func Restore(h, from http.Header, name string) {
	if lines, there := from[name]; there {
		h[name] = lines
	}
}

// Attempt is one call of the cache for an exchange. If it loads, the handler
// runs in the goroutine of its request.
type Attempt struct {
	// Resp is the answer, and Out what came of a load that ran for it.
	Resp   *record.Response
	Out    *Outcome
	Status strategies.Status

	x     *Exchange
	turn  Turn
	names []string        // the Vary list it asks with
	cap   *record.Capture // nil until a load begins
	outer http.Header     // as the middleware around this one had set it, for a refresh
	// later is the refresh of a stale answer, which comes after it.
	later strategies.Refresh
	ran   bool
}

// Outcome is what came of a load that ran for this exchange.
type Outcome struct {
	Status  int // of the handler's answer; 0 if it was not asked
	Refused rfc9111.Refusal
	// FromStore says that the old response is the answer after all.
	FromStore bool
	Stale     bool
	Validated bool
	// Again says that the handler confirmed another response than the stored one.
	Again bool
	// Absent says that there is nothing stored for a request that wants
	// nothing else.
	Absent bool
	// Dropped are fields that are not stored but go to this client.
	Dropped  http.Header
	panicked any
}

func (a *Attempt) settle(o Outcome) { a.Out = &o }

// Job is one run of the handler within a load.
type Job struct {
	// Old is the stored response that this exchange could take if it still holds.
	Old *record.Response
	// Detached says that no client is waiting for what it writes.
	Detached bool
	// Names is the Vary list that the cache was asked with.
	Names []string
	Turn  Turn

	*strategies.Load[*record.Response]
	x      *Exchange
	a      *Attempt
	cap    *record.Capture
	asked  *http.Request // as the handler got it
	asking bool          // it was made conditional

	requested, Received time.Time
}

// Rules are what the middlewares decide differently, for one request.
type Rules interface {
	// Load answers a miss: by job.Ask, or without the handler.
	Load(ctx context.Context, job *Job) (*record.Response, error)
	// Request is what the handler is asked, without body and conditions.
	Request() *http.Request
	// Confirm makes inner conditional on a stored response, and reports that it did.
	Confirm(inner *http.Request, old *record.Response) bool
	// Refuses says why an answer is not stored, when its header is known.
	Refuses(asked *http.Request, status int, h http.Header, now time.Time) rfc9111.Refusal
	// Lasting reports whether a refusal speaks of the next such request too.
	Lasting(answer http.Header) bool
	// Downstream writes what caches behind this one may do with an answer: one
	// that is stored and fresh for left, or one that is not.
	Downstream(f *record.Fields, stored bool, left time.Duration)
	// FallsBack reports whether a stored response takes the place of an error.
	FallsBack(job *Job) bool
	// Complete makes an answer ready to be stored. It notes in out what it finds.
	Complete(job *Job, resp *record.Response, out *Outcome)
	// Live sets how long a response is stored.
	Live(job *Job, resp *record.Response)
}
