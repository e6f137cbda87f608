package route

import (
	"context"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/strategies"
)

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
