package engine

import (
	"context"
	"time"

	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// In strict mode an absent token may be one that was evicted together with the
// news of an invalidation. So an entry may depend only on tokens that exist:
// those that do not are created before its load, in one round trip, and all
// are read again behind that.

// createTokens makes the snapshots of a run complete; on failure the loads go
// on without one.
func (r *run) createTokens(ctx context.Context) {
	e := r.c.e
	all := union(func(yield func([]flight.Token) bool) {
		for _, j := range r.jobs {
			if j.snap != nil && !yield(j.snap.tokens) {
				return
			}
		}
	})
	if len(all) == 0 {
		return
	}
	began := time.Now()
	all, spent, err := e.create(context.WithoutCancel(ctx), all, r.budget)
	r.spent(spent, began)
	known := valuesOf(all)
	for _, j := range r.jobs {
		switch {
		case j.snap == nil:
		case err != nil:
			r.failed(j, err)
			j.snap = nil
			// Whoever finds no token from now on may have missed an invalidation
			// that was evicted: only those who asked before may share the load.
			e.flights.Seal(j.flight)
		default:
			j.snap = j.snap.with(valued(j.snap.tokens, known))
			e.flights.Renew(j.flight, j.snap.tokens)
		}
	}
}

// create creates the tokens that are absent and returns all as they are then.
func (e *Engine) create(ctx context.Context, tokens []flight.Token, budget time.Duration) ([]flight.Token, cost, error) {
	cmds := creations(tokens)
	if len(cmds) == 0 {
		return tokens, cost{}, nil
	}
	cmds = append(cmds, mget(appendKeys(nil, tokens)))
	replies, spent, err := e.call(ctx, budget, cmds...)
	if err != nil {
		return nil, spent, err
	}
	last := replies[len(replies)-1]
	if err := firstError(replies); err != nil {
		return nil, spent, err
	}
	if len(last.Array) != len(tokens) {
		return nil, spent, errShort
	}
	tokens = withValues(tokens, last.Array)
	for _, t := range tokens {
		if t.Value == "" {
			return nil, spent, errShort
		}
	}
	return tokens, spent, nil
}

func creations(tokens []flight.Token) []cmd {
	now := time.Now()
	var cmds []cmd
	for _, t := range tokens {
		if t.Value == "" {
			cmds = append(cmds, setPX(t.Key, string(keyspace.NewToken(now)), tokenLife, "NX"))
		}
	}
	return cmds
}

// createLate creates late tags' tokens that are absent, for the next load, and
// reports whether there were any: this load began without them.
func (r *run) createLate(ctx context.Context, first *job, late []flight.Token) bool {
	cmds := creations(late)
	if len(cmds) == 0 {
		return false
	}
	if _, err := r.call(ctx, cmds...); err != nil {
		r.failed(first, err)
	}
	return true
}
