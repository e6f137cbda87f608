package route

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/strategies"
)

// ErrOrigin says that the handler failed and a stale answer may take its place.
var ErrOrigin = errors.New("handler: the handler answered with an error")

// ErrNotStorable says that the answer may not be stored, and why.
var ErrNotStorable = errors.New("handler: the answer may not be stored")

func newJob(a *Attempt, l *strategies.Load[*record.Response]) *Job {
	j := &Job{x: a.x, a: a, Load: l, Names: a.names, Turn: a.turn, Detached: l.Refresh()}
	if j.Detached {
		a.cap = record.NewCapture(nil, a.outer, a.x.MaxBody) // the client has the stale answer
	} else {
		a.cap = record.NewCapture(a.x.W, a.x.W.Header().Clone(), a.x.MaxBody)
	}
	j.cap, j.Old = a.cap, a.old(l)
	return j
}

// old is the stored response that this exchange could take if it still holds.
func (a *Attempt) old(l *strategies.Load[*record.Response]) *record.Response {
	stored, _ := l.Old()
	for _, r := range []*record.Response{a.turn.Known, stored} {
		if r != nil && !r.Marker && !r.IsPart() && a.x.Variant(r.Vary) == r.Variant {
			return r
		}
	}
	return nil
}

// Settle says what came of the load without asking the handler.
func (j *Job) Settle(o Outcome) {
	j.DoNotShare() // others may not take it
	j.a.settle(o)
}

// Status is that of the handler's answer.
func (j *Job) Status() int { return j.cap.Status() }

// Ask runs the handler and makes of its answer what is stored or sent.
//
// What went wrong for this request is told by its outcome, not by an error: to
// the Store an error is a sick loader, which it spares for a while.
func (j *Job) Ask(ctx context.Context) (*record.Response, error) {
	panicked := j.run(ctx)
	c := j.cap
	out := Outcome{Status: c.Status(), Refused: c.Why(), panicked: panicked}
	switch {
	case panicked != nil && !c.Sent() && j.Old != nil && j.x.Rules.FallsBack(j):
		out.panicked = nil
		return j.fallBack(out)
	case panicked != nil:
		j.Settle(out)
		return &record.Response{}, nil
	case c.Sent() && !c.Kept(): // the client has it, and nobody else gets it
		j.Settle(out)
		return &record.Response{Stored: rfc9111.Stored{Status: c.Status()}}, nil
	case !c.Kept(): // nobody was there to take it
		j.Settle(out)
		if !j.Detached {
			return &record.Response{}, nil // the client has left
		}
		return nil, fmt.Errorf("%w: %s", ErrNotStorable, c.Why())
	case c.Status() == http.StatusNotModified && j.asking:
		return j.notModified(out)
	case c.Why() != "" && j.Old != nil && fails(c.Status()):
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
func (j *Job) run(ctx context.Context) any {
	j.asked = j.x.Rules.Request()
	if j.Old != nil && !j.Turn.Whole {
		j.asking = j.x.Rules.Confirm(j.asked, j.Old)
	}
	j.cap.Hooks = record.Hooks{Decide: j.fate, Announce: j.announce, Passing: j.passing, Streams: j.LetGo, Asked: j.x.R}
	inner, cancel := context.WithCancelCause(context.WithoutCancel(j.x.R.Context()))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { j.ended(ctx, cancel) })()
	seen := context.Context(inner)
	if deadline, has := ctx.Deadline(); has {
		var end context.CancelFunc
		seen, end = context.WithDeadline(inner, deadline)
		defer end()
	}
	j.requested = time.Now()
	return j.serve(j.x.Next, j.asked.WithContext(seen))
}

// ended is called when the load's time is up, or its client has left an answer
// that is nobody else's.
func (j *Job) ended(ctx context.Context, cancel context.CancelCauseFunc) {
	client, cause := j.x.R.Context(), context.Cause(ctx)
	switch {
	case errors.Is(cause, context.DeadlineExceeded) && !j.Detached:
		j.cap.Promote(rfc9111.RefuseTime) // the handler sees the same deadline; what it says now is for its client
	case client.Err() == nil && j.cap.Promote(rfc9111.RefuseTime):
		context.AfterFunc(client, func() { cancel(context.Cause(client)) }) // it goes on for its client alone
	default:
		cancel(cause)
	}
}

func (j *Job) serve(next http.Handler, r *http.Request) (panicked any) {
	returned := false
	defer func() {
		j.cap.Finish(!returned, r.Context().Err() != nil)
		if !returned && !j.Detached {
			panicked = recover() // it goes on when the load has ended
		}
	}()
	next.ServeHTTP(j.cap, r)
	returned = true
	return nil
}

// fate decides at the header what becomes of the answer.
func (j *Job) fate(status int, h http.Header) record.Fate {
	j.Received = time.Now()
	if status == http.StatusNotModified && j.asking {
		return record.Fate{}
	}
	if j.asked.Method == http.MethodHead {
		return record.Fate{Why: rfc9111.RefuseHead, Hold: j.Old != nil && status == http.StatusOK}
	}
	why := j.x.Rules.Refuses(j.asked, status, h, j.Received)
	return record.Fate{Why: why, Hold: why != "" && j.Old != nil && fails(status) && j.x.Rules.FallsBack(j)}
}

// passing frees the callers that wait for this load, and the handler from the
// load's time limit.
func (j *Job) passing(why rfc9111.Refusal) {
	if lasting(why) && j.x.Rules.Lasting(j.cap.Frozen()) {
		j.x.passes.add(j.x.Key, len(j.cap.Frozen()["Cache-Control"]) > 0, time.Now())
	}
	j.DoNotShare()
}

// announce completes a header that is sent before the answer is whole.
func (j *Job) announce(status int, f *record.Fields) {
	why := j.cap.Why()
	v := Verdict{State: strategies.Miss, fwd: j.forwarded(), fwdStatus: status, detail: string(why)}
	if j.x.ShowKey {
		v.key = j.x.Key
	}
	if len(f.Header["Date"]) == 0 {
		f.Set("Date", rfc9111.FormatDate(j.Received)) // not every server adds one
	}
	j.x.Rules.Downstream(f, why == "", j.x.TTL)
	j.x.TakeTags(f.Header)
	v.Write(f)
}

// forwarded says why the handler is asked; the Store's own word is not there
// before the load ends.
func (j *Job) forwarded() string {
	switch {
	case j.Turn.Why != "":
		return j.Turn.Why
	case j.Old != nil:
		return "stale"
	case len(j.Names) > 0:
		return "vary-miss"
	}
	return "uri-miss"
}

// fallBack answers with the old response instead of an error.
func (j *Job) fallBack(out Outcome) (*record.Response, error) {
	if j.Detached {
		return nil, ErrOrigin
	}
	out.FromStore, out.Stale, out.Refused = true, true, ""
	j.Settle(out)
	return j.Old, nil
}

// notModified stores the old response again, with what the 304 says.
func (j *Job) notModified(out Outcome) (*record.Response, error) {
	said := j.cap.Frozen()
	if !j.Old.SameAs(said) {
		if j.Detached {
			return nil, ErrOrigin
		}
		out.Again = true
		j.Settle(out)
		return j.Old, nil
	}
	resp := j.Old.Freshen(said, j.requested, j.Received)
	out.Dropped = rfc9111.TakePersonal(resp.Header, j.x.NeverReplay)
	j.tag(resp)
	j.x.Rules.Live(j, resp)
	out.Validated = true
	j.a.settle(out)
	return resp, nil
}

// store makes a response of what was recorded. What may not be stored goes to
// this request only.
func (j *Job) store(out Outcome) (*record.Response, error) {
	resp := j.cap.Response(j.requested, j.Received)
	if j.cap.Why() != "" {
		return j.keepBack(resp, out)
	}
	out.Dropped = rfc9111.TakePersonal(resp.Header, j.x.NeverReplay)
	j.tag(resp)
	j.x.Rules.Complete(j, resp, &out)
	j.x.Rules.Live(j, resp)
	if resp.Variant != "" && !j.x.variants.admit(j.x.Key, resp.Variant, j.x.MaxVariants, j.Received) {
		j.DoNotStore()
		out.Refused = rfc9111.RefuseVariants
	}
	j.a.settle(out)
	return resp, nil
}

// keepBack is the end of an answer that was held and is not stored. That of a
// HEAD may confirm what is (RFC 9111 section 4.3.5).
func (j *Job) keepBack(resp *record.Response, out Outcome) (*record.Response, error) {
	why := j.cap.Why()
	if j.Old != nil && why == rfc9111.RefuseHead && j.Old.ConfirmedBy(resp.Header) {
		fresh := j.Old.Freshen(resp.Header, j.requested, j.Received)
		out.Dropped = rfc9111.TakePersonal(fresh.Header, j.x.NeverReplay)
		j.x.Rules.Live(j, fresh)
		out.Refused, out.Validated = "", true
		j.a.settle(out)
		return fresh, nil
	}
	if j.Detached {
		j.DoNotShare()
		return nil, fmt.Errorf("%w: %s", ErrNotStorable, why)
	}
	j.x.TakeTags(resp.Header)
	j.Settle(out)
	return resp, nil
}

// tag moves tags from the header to the entry.
func (j *Job) tag(resp *record.Response) {
	if tags := j.x.TakeTags(resp.Header); len(tags) > 0 {
		j.AddTags(tags...)
	}
}
