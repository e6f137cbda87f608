package route

import (
	"errors"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/strategies"
)

// Ask asks the cache once. If the client has its answer then, it returns nil.
func (x *Exchange) Ask(names []string) *Attempt {
	a := newAttempt(x, names)
	resp, err := a.fetch()
	if a.later.Due() {
		a.outer = x.W.Header().Clone()
	}
	switch {
	case a.ran && err != nil:
		a.cap.Deliver(rfc9111.RefuseTime) // too late to be stored, not to be sent
	case a.Out != nil && a.Out.Refused == rfc9111.RefuseCut && x.R.Method == http.MethodGet:
		a.cap.Deliver(rfc9111.RefuseCut) // the client sees the break, as without a cache
	}
	sent := a.cap != nil && a.cap.Leave()
	if sent {
		x.tally(a.Verdict(), a.Out)
	}
	a.raise()
	switch {
	case sent:
		return nil
	case err != nil:
		x.failed(err, a.ran)
		return nil
	}
	a.Resp = resp
	return a
}

// Answer sends the response of an attempt, worded by v, and sees to the
// refresh of a stale one.
//
// The handler may not run on when the request has ended, so it runs here, for
// a short while; a client of HTTP/1.1 waits for that with its next request on
// the same connection only.
func (x *Exchange) Answer(a *Attempt, v Verdict) {
	if a.Out != nil {
		record.FieldsOf(x.W.Header(), len(a.Out.Dropped)).Merge(a.Out.Dropped)
	}
	x.write(a.Resp, v, a.Out != nil && !a.Out.FromStore)
	x.tally(v, a.Out)
	if !a.later.Due() {
		return
	}
	ctx := x.R.Context()
	if x.Detach && a.later.Go(func() { a.later.Do(ctx) }) {
		return
	}
	_ = http.NewResponseController(x.W).Flush() // one that cannot sends the end later
	a.later.Run(ctx)
}

// failed answers when neither the cache nor the handler did. ran says that
// the handler ran for this request: then it does not run again.
func (x *Exchange) failed(err error, ran bool) {
	var p *strategies.PanicError
	switch {
	case x.R.Context().Err() != nil:
		// The client has left, or its time is up. Silence would be a 200 without a
		// body for whoever stands between, such as an http.TimeoutHandler.
		x.Refuse(http.StatusServiceUnavailable, "the request ended before its answer", "gone")
	case ran && errors.As(err, &p):
		panic(p.Value)
	case ran:
		x.Refuse(http.StatusServiceUnavailable, "the handler took too long", "timeout")
	default:
		x.Direct("cache-error")
	}
}

// Refuse answers with an error of the cache's own.
func (x *Exchange) Refuse(status int, text, detail string) {
	v := Verdict{State: strategies.Miss, fwd: "miss", detail: detail}
	f := record.FieldsOf(x.W.Header(), 3)
	v.Write(f)
	f.Set("Cache-Control", "no-store")
	http.Error(x.W, text, status)
}

// Direct runs the handler on the client's writer, around the cache.
func (x *Exchange) Direct(detail string) {
	tick(x.history, x.Store, time.Now())
	x.Count.BypassReasons.add(detail)
	defer x.Count.Bypass.Since(x.Began)
	v := Verdict{State: strategies.Bypass, fwd: "bypass", detail: detail}
	v.Write(record.FieldsOf(x.W.Header(), 2))
	inner := x.Rules.Request()
	inner.Method = x.R.Method
	for _, name := range append(rfc9111.Conditions, "Range") {
		Restore(inner.Header, x.R.Header, name)
	}
	x.Next.ServeHTTP(x.W, inner)
}

func (x *Exchange) tally(v Verdict, own *Outcome) {
	tick(x.history, x.Store, time.Now())
	n := &x.Count
	switch v.State {
	case strategies.Hit:
		n.Hits.Since(x.Began)
	case strategies.Stale:
		n.Stale.Since(x.Began)
	case strategies.Bypass:
		n.Bypass.Since(x.Began)
		n.BypassReasons.add(v.word())
	default:
		n.Misses.Since(x.Began)
		n.MissReasons.add(v.word())
	}
	if v.collapsed {
		n.Collapsed.Add(1)
	}
	if own == nil {
		return
	}
	switch own.Refused {
	case "":
	case rfc9111.RefuseSize:
		n.Oversized.Add(1)
	default:
		n.Passed.Add(1)
	}
	if own.Validated {
		n.Validated.Add(1)
	}
}

// Passes reports whether the request is to go straight to the handler, and
// whether the answer that is known had a Cache-Control of its own. What the request
// says of the cache itself, it says to the cache.
func (x *Exchange) Passes() (said, passes bool) {
	if x.Warming != nil || len(x.R.Header["Cache-Control"]) > 0 {
		return false, false
	}
	return x.passes.has(x.Key, time.Now())
}
