package handler

import (
	"context"
	"net/http"

	"github.com/cldcde/restash/strategies"
)

// attempt is one call of the cache for an exchange. If it loads, the handler
// runs in the goroutine of its request.
type attempt struct {
	x      *exchange
	turn   turn
	names  []string // the Vary list it asks with
	cap    *capture
	status strategies.Status
	// later is the refresh of a stale answer, which comes after it.
	later strategies.Refresh

	ran bool
	out *outcome
}

// outcome is what came of a load that ran for this exchange.
type outcome struct {
	status  int // of the handler's answer; 0 if it was not asked
	refused refusal
	// fromStore says that the old response is the answer after all.
	fromStore bool
	stale     bool
	validated bool
	// again says that the handler confirmed another response than the stored one.
	again bool
	// absent says that there is nothing stored for a request that wants
	// nothing else.
	absent bool
	// dropped are fields that are not stored but go to this client.
	dropped  http.Header
	panicked any
}

func newAttempt(x *exchange, names []string) *attempt {
	a := &attempt{x: x, turn: x.turn, names: names}
	a.cap = newCapture(x.w, x.outer, x.p.cfg.Advanced.MaxBody)
	return a
}

func (a *attempt) fetch() (*response, error) {
	x := a.x
	opts := make([]strategies.Option, 0, 5)
	opts = append(opts, strategies.Report(&a.status), strategies.InPlace(&a.later))
	if tags := x.p.cfg.tags(x.r); len(tags) > 0 {
		opts = append(opts, strategies.Tags(tags...))
	}
	if len(a.names) > 0 {
		opts = append(opts, strategies.Variant(x.variant(a.names)))
	}
	if a.turn.fresh {
		opts = append(opts, strategies.Force())
	}
	if m := x.warming; m != nil {
		opts = append(opts, strategies.Uncounted())
		defer func() { m.commands, m.trips = m.commands+a.status.Commands, m.trips+a.status.Trips }()
	}
	return x.p.cache.Fetch(x.r.Context(), x.key, a.load, opts...)
}

func (a *attempt) settle(o outcome) { a.out = &o }

// verdict words how the exchange was answered.
func (a *attempt) verdict(own *outcome) verdict {
	v := verdictOf(a.status, len(a.names) > 0)
	if a.x.p.cfg.Advanced.ShowKey {
		v.key = a.x.key
	}
	if v.fwd != "" && a.turn.why != "" {
		v.fwd = a.turn.why
	}
	if own == nil {
		return v
	}
	v.fwdStatus = own.status
	switch {
	case own.fromStore:
		v.fwd, v.fwdStatus, v.state = "", 0, strategies.Hit
		if own.stale {
			v.state = strategies.Stale
		}
		if own.status > 0 {
			v.fwd, v.fwdStatus = "stale", own.status
		}
	case own.refused != "":
		v.detail = string(own.refused)
	}
	return v
}

// load runs the handler, or decides that the old response will do.
func (a *attempt) load(ctx context.Context, l *strategies.Load[*response]) (resp *response, err error) {
	a.ran = true
	if m := oldOf(l); m != nil && m.marker {
		if refreshing(l) {
			return l.NotModified()
		}
		l.DoNotStore() // however old, it says where to look
		return m, nil
	}
	job := &job{a: a, l: l, cfg: a.x.p.cfg, old: a.old(l)}
	if refreshing(l) {
		a.cap = newCapture(nil, a.x.outer, a.x.p.cfg.Advanced.MaxBody) // the client has the stale answer
		job.detached = true
	}
	if job.old != nil && !a.x.p.cfg.preset() && !job.detached {
		if resp := job.withoutAsking(); resp != nil {
			return resp, nil
		}
	}
	if a.x.asks.onlyIfCached && !job.detached {
		l.DoNotShare()
		a.settle(outcome{absent: true})
		return &response{}, nil
	}
	return job.ask(ctx)
}

// refreshing reports whether a load renews a stale response that is served
// meanwhile.
func refreshing(l any) bool {
	r, ok := l.(interface{ Refresh() bool })
	return ok && r.Refresh()
}

// old is the stored response that this exchange could take if it still holds.
func (a *attempt) old(l *strategies.Load[*response]) *response {
	for _, r := range []*response{a.turn.known, oldOf(l)} {
		if r != nil && !r.marker && a.x.variant(r.vary) == r.variant {
			return r
		}
	}
	return nil
}

func oldOf(l *strategies.Load[*response]) *response {
	r, _ := l.Old()
	return r
}

// keepMarker stores a stale marker again; no handler takes part in that.
func (a *attempt) keepMarker(ctx context.Context) {
	if a.later.Due() && !a.later.Go(func() { a.later.Do(ctx) }) {
		a.later.Run(ctx)
	}
}
