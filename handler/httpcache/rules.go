package httpcache

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
)

// Load answers a miss. A list of request fields is an answer to the question
// which they are, however old; a stale answer may do without asking the handler.
func (x *exchange) Load(ctx context.Context, job *route.Job) (*record.Response, error) {
	x.whole = job.Old != nil
	if m, _ := job.Load.Old(); m != nil && m.Marker {
		if job.Detached {
			return job.NotModified()
		}
		job.DoNotStore()
		return m, nil
	}
	if job.Old != nil && !job.Detached && x.willDo(job) {
		job.Settle(route.Outcome{FromStore: true, Stale: true})
		return job.Old, nil
	}
	if x.asks.OnlyIfCached && !job.Detached {
		job.Settle(route.Outcome{Absent: true})
		return &record.Response{}, nil
	}
	return job.Ask(ctx)
}

// willDo reports whether this request may have the old response although it is
// stale. One that is fresh by its fields comes here because it was invalidated softly.
func (x *exchange) willDo(job *route.Job) bool {
	v := x.assess(job.Old)
	return !job.Turn.Fresh && !v.Fresh() && x.unfit(v, false) == ""
}

// Request is what the handler is asked.
func (x *exchange) Request() *http.Request {
	inner := route.Bare(x.R)
	if isRange(inner.Header) {
		route.Restore(inner.Header, x.R.Header, "If-Range")
	}
	return inner
}

// Confirm asks whether the stored answer still holds; a part of it is asked for as it is.
func (x *exchange) Confirm(inner *http.Request, old *record.Response) bool {
	return !isRange(inner.Header) && rfc9111.AskAgain(inner.Header, old.Header)
}

// Refuses says why an answer is not stored.
func (x *exchange) Refuses(asked *http.Request, status int, h http.Header, now time.Time) rfc9111.Refusal {
	if status == http.StatusPartialContent && !x.storesPart(asked.Header, h) {
		return rfc9111.RefuseStatus
	}
	return x.cfg.sharing().Refuses(asked.Header, status, h, now)
}

// Lasting: one user's answer says nothing about another's.
func (x *exchange) Lasting(answer http.Header) bool {
	for name := range x.R.Header {
		if rfc9111.TellsWho(name) {
			return false
		}
	}
	return len(answer["Vary"]) == 0 && len(x.lists.of(x.Key)) == 0
}

// Downstream: the answer itself says it.
func (x *exchange) Downstream(*record.Fields, bool, time.Duration) {}

// FallsBack reports whether an old answer takes the place of an error: by RFC
// 5861 section 4, or since the handler is a gateway that says that it cannot
// reach its origin (RFC 9111 section 4.2.4).
func (x *exchange) FallsBack(job *route.Job) bool {
	v := x.assess(job.Old)
	if !v.MayBeStale() || x.asks.NoCache {
		return false
	}
	window := max(v.ErrorWindow(), x.asks.StaleIfError.Duration())
	status := job.Status()
	return v.Staleness() <= window || status == http.StatusBadGateway || status == http.StatusGatewayTimeout
}

// Complete notes which request fields selected the response, and stores it as a
// variant if the key's list did not have them all.
func (x *exchange) Complete(job *route.Job, resp *record.Response, out *route.Outcome) {
	d, _ := rfc9111.ResponseDirectives(resp.Header, x.cfg.Advanced.Targets)
	if listed := rfc9111.DropListed(resp.Header, d); out.Dropped == nil {
		out.Dropped = listed
	} else {
		maps.Copy(out.Dropped, listed)
	}
	if resp.IsPart() {
		resp.Join(x.part(), x.MaxBody)
	}
	names, _ := rfc9111.VaryOf(resp.Header)
	resp.Vary = job.Names
	if rfc9111.Covers(resp.Vary, names) {
		resp.Variant = x.Variant(resp.Vary)
		return
	}
	resp.Vary = rfc9111.Union(resp.Vary, names)
	resp.Variant = x.Variant(resp.Vary)
	marker := &record.Response{Marker: true, Vary: resp.Vary}
	marker.Stored = rfc9111.Stored{Status: http.StatusOK, Requested: resp.Requested, Received: resp.Received}
	job.StoreVariant(resp.Variant, marker)
	x.lists.learn(x.Key, resp.Vary)
}

// Live stores a response for as long as it says, and beyond that to validate it.
func (x *exchange) Live(job *route.Job, resp *record.Response) {
	v := rfc9111.Assess(resp.Stored, x.cfg.Advanced.Targets, job.Received)
	left := v.Lifetime - v.Age
	if v.NoCache {
		left = 0
	}
	// What is stale at once is stored all the same, to be validated.
	job.SetTTL(max(left, time.Millisecond))
	if resp.IsPart() { // once stale it is asked for anew
		job.SetStaleWhileRevalidate(0)
		job.SetStaleIfError(0)
		return
	}
	job.SetStaleWhileRevalidate(v.RevalidateWindow() + min(left, 0))
	keep := x.cfg.Advanced.Keep
	if !rfc9111.HasValidator(resp.Header) {
		keep = min(keep, keepUnvalidated)
	}
	job.SetStaleIfError(max(keep, v.ErrorWindow()))
}
