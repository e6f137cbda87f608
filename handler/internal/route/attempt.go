package route

import (
	"context"
	"net/http"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/strategies"
)

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

func newAttempt(x *Exchange, names []string) *Attempt {
	return &Attempt{x: x, turn: x.Turn, names: names}
}

func (a *Attempt) fetch() (*record.Response, error) {
	x := a.x
	opts := make([]strategies.Option, 0, 5)
	opts = append(opts, strategies.Report(&a.Status), strategies.InPlace(&a.later))
	if len(x.Tags) > len(x.Class.Tags) { // the class has its own already
		opts = append(opts, strategies.Tags(x.Tags...))
	}
	if len(a.names) > 0 {
		opts = append(opts, strategies.Variant(x.Variant(a.names)))
	}
	if a.turn.Fresh {
		opts = append(opts, strategies.Force())
	}
	if m := x.Warming; m != nil {
		opts = append(opts, strategies.Uncounted())
		defer func() { m.commands, m.trips = m.commands+a.Status.Commands, m.trips+a.Status.Trips }()
	}
	return x.Cache.Fetch(x.R.Context(), x.Key, a.load, opts...)
}

func (a *Attempt) load(ctx context.Context, l *strategies.Load[*record.Response]) (*record.Response, error) {
	a.ran = true
	return a.x.Rules.Load(ctx, newJob(a, l))
}

func (a *Attempt) settle(o Outcome) { a.Out = &o }

// raise panics with what the handler panicked with.
func (a *Attempt) raise() {
	if a.Out != nil && a.Out.panicked != nil {
		panic(a.Out.panicked)
	}
}

// Verdict words how the exchange was answered.
func (a *Attempt) Verdict() Verdict {
	v := verdictOf(a.Status, len(a.names) > 0)
	if a.x.ShowKey {
		v.key = a.x.Key
	}
	if v.fwd != "" && a.turn.Why != "" {
		v.fwd = a.turn.Why
	}
	own := a.Out
	if own == nil {
		return v
	}
	v.fwdStatus = own.Status
	switch {
	case own.FromStore:
		v.fwd, v.fwdStatus, v.State = "", 0, strategies.Hit
		if own.Stale {
			v.State = strategies.Stale
		}
		if own.Status > 0 {
			v.fwd, v.fwdStatus = "stale", own.Status
		}
	case own.Refused != "":
		v.detail = string(own.Refused)
	}
	return v
}

// KeepMarker stores a stale marker again; no handler takes part in that.
func (a *Attempt) KeepMarker(ctx context.Context) {
	if a.Status.State == strategies.Stale && a.later.Due() && !a.later.Go(func() { a.later.Do(ctx) }) {
		a.later.Run(ctx)
	}
}
