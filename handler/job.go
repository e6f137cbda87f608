package handler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cldcde/restash/strategies"
)

// job is one run of the handler within a load.
type job struct {
	a   *attempt
	l   *strategies.Load[*response]
	cfg Config
	old *response
	// detached says that no client is waiting for what it writes.
	detached bool
	asked    *http.Request // as the handler got it
	asking   bool          // it was made conditional

	requested, received time.Time
}

// errOrigin says that the handler failed and a stale answer may take its place.
var errOrigin = errors.New("handler: the handler answered with an error")

// ask runs the handler and makes of its answer what is stored or sent.
//
// What went wrong for this request is told by its outcome, not by an error: to
// the Store an error is a sick loader, which it spares for a while.
func (j *job) ask(ctx context.Context) (*response, error) {
	panicked := j.run(ctx)
	c := j.a.cap
	out := outcome{status: c.status, refused: c.why, panicked: panicked}
	switch {
	case panicked != nil && !c.sent && j.old != nil && j.mayFallBack():
		out.panicked = nil
		return j.fallBack(out)
	case panicked != nil:
		j.l.DoNotShare()
		j.a.settle(out)
		return &response{}, nil
	case c.sent && !c.keep: // the client has it
		j.a.settle(out)
		return &response{status: c.status}, nil
	case !c.keep: // nobody was there to take it
		j.l.DoNotShare()
		j.a.settle(out)
		if !j.detached {
			return &response{}, nil // the client has left
		}
		return nil, fmt.Errorf("%w: %s", errNotStorable, c.why)
	case c.status == http.StatusNotModified && j.asking:
		return j.notModified(out)
	case c.why != "" && j.old != nil && fails(c.status):
		return j.fallBack(out)
	}
	return j.store(out)
}

// fails are the statuses that a stale answer may take the place of (RFC 5861
// section 4).
func fails(status int) bool {
	switch status {
	case 500, 502, 503, 504:
		return true
	}
	return false
}

// run runs the handler once, into the attempt's capture, and returns what it
// panicked with.
func (j *job) run(ctx context.Context) any {
	x := j.a.x
	c := j.a.cap
	c.verdict, c.announce, c.passing, c.gone = j.fate, j.announce, j.passing, x.r.Context()
	c.shape = func(status int, h http.Header) (int, window) { return passed(x.r, status, h) }
	c.streams = j.l.LetGo
	j.asked = j.request()
	inner, cancel := context.WithCancelCause(context.WithoutCancel(x.r.Context()))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { j.ended(ctx, cancel) })()
	seen := context.Context(inner)
	if deadline, has := ctx.Deadline(); has {
		var end context.CancelFunc
		seen, end = context.WithDeadline(inner, deadline)
		defer end()
	}
	j.requested = time.Now()
	return j.serve(x.next, j.asked.WithContext(seen))
}

// ended is called when the load's time is up, or its client has left an answer
// that is nobody else's.
func (j *job) ended(ctx context.Context, cancel context.CancelCauseFunc) {
	client, cause := j.a.x.r.Context(), context.Cause(ctx)
	switch {
	case errors.Is(cause, context.DeadlineExceeded) && !j.detached:
		j.a.cap.promote(refuseTime) // the handler sees the same deadline; what it says now is for its client
	case client.Err() == nil && j.a.cap.promote(refuseTime):
		context.AfterFunc(client, func() { cancel(context.Cause(client)) }) // it goes on for its client alone
	default:
		cancel(cause)
	}
}

func (j *job) serve(next http.Handler, r *http.Request) (panicked any) {
	returned := false
	defer func() {
		j.a.cap.finish(!returned, r.Context().Err() != nil)
		if !returned && !j.detached {
			panicked = recover() // it goes on when the load has ended
		}
	}()
	next.ServeHTTP(j.a.cap, r)
	returned = true
	return nil
}

// request is what the handler is asked: conditional if there is an old
// response it can confirm.
func (j *job) request() *http.Request {
	inner := j.cfg.innerRequest(j.a.x.r)
	switch {
	case !j.cfg.preset() && isRange(inner.Header):
		restore(inner.Header, j.a.x.r.Header, "If-Range")
	case j.old != nil && !j.a.turn.whole:
		j.asking = askAgain(inner.Header, j.old)
	}
	return inner
}

func restore(h, from http.Header, name string) {
	if lines, there := from[name]; there {
		h[name] = lines
	}
}

// fate decides at the header what becomes of the answer.
func (j *job) fate(status int, h http.Header) fate {
	j.received = time.Now()
	if status == http.StatusNotModified && j.asking {
		return fate{}
	}
	why := j.cfg.storable(j.asked, status, h, j.received)
	if j.asked.Method == http.MethodHead {
		return fate{why: refuseHead, hold: j.old != nil && status == http.StatusOK}
	}
	return fate{why: why, hold: why != "" && j.old != nil && fails(status) && j.mayFallBack()}
}

// passing frees the callers that wait for this load, and the handler from the
// load's time limit.
func (j *job) passing(why refusal) {
	j.a.x.remember(why, j.a.cap.frozen)
	j.l.DoNotShare()
}

// announce completes a header that is sent before the answer is whole.
func (j *job) announce(status int, h http.Header) {
	v := verdict{state: strategies.Miss, fwd: j.forwarded(), fwdStatus: status, detail: string(j.a.cap.why)}
	if j.cfg.Advanced.ShowKey {
		v.key = j.a.x.key
	}
	if len(h["Date"]) == 0 {
		h["Date"] = []string{formatDate(j.received)} // not every server adds one
	}
	switch {
	case !j.cfg.preset():
	case v.detail == "":
		j.cfg.downstream(h, j.a.x.r, j.cfg.TTL)
	case len(h["Cache-Control"]) == 0:
		h["Cache-Control"] = onlyPrivate
	}
	j.cfg.dropTagFields(h)
	v.write(h)
}

// forwarded says why the handler is asked; the Store's own word is not there
// before the load ends.
func (j *job) forwarded() string {
	switch {
	case j.a.turn.why != "":
		return j.a.turn.why
	case j.old != nil:
		return "stale"
	case len(j.a.names) > 0:
		return "vary-miss"
	}
	return "uri-miss"
}

// withoutAsking returns the old response if this request may have it although
// it is stale.
func (j *job) withoutAsking() *response {
	x := j.a.x
	v := assess(j.old, j.cfg.Advanced.Targets, time.Now())
	// One that is fresh by its fields comes here because it was invalidated softly.
	if j.a.turn.fresh || v.fresh() || x.judge(v, false) != "" {
		return nil
	}
	j.l.DoNotShare() // others may not take it
	j.a.settle(outcome{fromStore: true, stale: true})
	return j.old
}

// mayFallBack reports whether the old response may be served in the place of
// an error: by RFC 5861 section 4, or since the handler is a gateway that says
// that it cannot reach its origin (RFC 9111 section 4.2.4).
func (j *job) mayFallBack() bool {
	now := time.Now()
	if j.cfg.preset() {
		at := j.l.StoredAt()
		return !at.IsZero() && now.Sub(at) <= j.cfg.TTL+j.cfg.StaleIfError && j.cfg.StaleIfError > 0
	}
	v := assess(j.old, j.cfg.Advanced.Targets, now)
	if !v.mayBeStale() || j.a.x.asks.noCache {
		return false
	}
	window := max(v.errorWindow(), j.a.x.asks.staleIfError.duration())
	status := j.a.cap.status
	return v.staleness() <= window || status == http.StatusBadGateway || status == http.StatusGatewayTimeout
}

// fallBack answers with the old response instead of an error.
func (j *job) fallBack(out outcome) (*response, error) {
	if j.detached {
		return nil, errOrigin
	}
	j.l.DoNotShare()
	out.fromStore, out.stale, out.refused = true, true, ""
	j.a.settle(out)
	return j.old, nil
}

// notModified stores the old response again, with what the 304 says.
func (j *job) notModified(out outcome) (*response, error) {
	c := j.a.cap
	if !j.old.sameAs(c.frozen) {
		if j.detached {
			return nil, errOrigin
		}
		j.l.DoNotShare()
		out.again = true
		j.a.settle(out)
		return j.old, nil
	}
	resp := j.old.freshen(c.frozen, j.requested, j.received)
	j.tag(resp)
	j.live(resp)
	out.validated = true
	j.a.settle(out)
	return resp, nil
}

// store makes a response of what was recorded. What may not be stored goes to
// this request only.
func (j *job) store(out outcome) (*response, error) {
	c := j.a.cap
	resp := newResponse(c.status, c.changed(), trailers(c.header, c.frozen), c.body, j.requested, j.received)
	if c.why != "" {
		return j.keepBack(resp, out)
	}
	j.tag(resp)
	if j.cfg.preset() {
		out.validated = j.identify(resp)
	} else {
		d, _ := responseDirectives(resp.header, j.cfg.Advanced.Targets)
		out.dropped = dropListed(resp.header, d)
	}
	j.choose(resp)
	j.live(resp)
	j.a.settle(out)
	return resp, nil
}

// keepBack is the end of an answer that was held and is not stored. That of a
// HEAD may confirm what is (RFC 9111 section 4.3.5).
func (j *job) keepBack(resp *response, out outcome) (*response, error) {
	if c := j.a.cap; j.old != nil && c.why == refuseHead && j.old.confirmedBy(resp.header) {
		fresh := j.old.freshen(resp.header, j.requested, j.received)
		j.live(fresh)
		out.refused, out.validated = "", true
		j.a.settle(out)
		return fresh, nil
	}
	j.l.DoNotShare()
	if j.detached {
		return nil, fmt.Errorf("%w: %s", errNotStorable, j.a.cap.why)
	}
	j.cfg.dropTagFields(resp.header)
	j.a.settle(out)
	return resp, nil
}

// tag moves tags from the header to the entry.
func (j *job) tag(resp *response) {
	if tags := j.cfg.responseTags(resp.header); len(tags) > 0 {
		j.l.AddTags(tags...)
	}
	j.cfg.dropTagFields(resp.header)
}

// identify gives a preset's answer an entity tag if it has none. A handler
// that ignores conditions and answers with the same body has confirmed it.
func (j *job) identify(resp *response) (validated bool) {
	h := resp.header
	if j.old != nil && j.old.status == resp.status && bytes.Equal(j.old.body, resp.body) {
		validated = true
		for _, name := range [...]string{"Etag", "Last-Modified"} {
			if stored := j.old.header[name]; len(h[name]) == 0 && len(stored) > 0 {
				h[name] = stored
			}
		}
	}
	if len(h["Etag"]) == 0 && resp.status == http.StatusOK {
		h["Etag"] = []string{etagOf(resp.body)}
	}
	return validated
}

// choose notes which request fields selected the response, and stores it as a
// variant if the key's list did not have them all.
func (j *job) choose(resp *response) {
	x := j.a.x
	names, _ := varyOf(resp.header)
	resp.vary = j.a.names
	if !j.cfg.preset() && !covers(resp.vary, names) {
		resp.vary = union(resp.vary, names)
		marker := &response{status: http.StatusOK, marker: true, vary: resp.vary, requested: resp.requested, received: resp.received}
		resp.variant = x.variant(resp.vary)
		j.l.StoreVariant(resp.variant, marker)
		x.p.vary.learn(x.key, resp.vary)
		return
	}
	resp.variant = x.variant(resp.vary)
}

// live sets how long the response is stored.
func (j *job) live(resp *response) {
	if j.cfg.preset() {
		if resp.status == http.StatusNotFound || resp.status == http.StatusGone {
			j.l.SetTTL(j.cfg.Negative)
			j.l.SetStaleWhileRevalidate(0)
			j.l.SetStaleIfError(0)
		}
		return
	}
	v := assess(resp, j.cfg.Advanced.Targets, j.received)
	left := v.lifetime - v.age
	if v.noCache {
		left = 0
	}
	// What is stale at once is stored all the same, to be validated.
	j.l.SetTTL(max(left, time.Millisecond))
	j.l.SetStaleWhileRevalidate(v.revalidateWindow() + min(left, 0))
	keep := j.cfg.Advanced.Keep
	if !hasValidator(resp.header) {
		keep = min(keep, keepUnvalidated)
	}
	j.l.SetStaleIfError(max(keep, v.errorWindow()))
}
