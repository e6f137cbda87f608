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
	all, spent, err := r.c.create(context.WithoutCancel(ctx), all, r.budget)
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
func (c *Class) create(ctx context.Context, tokens []flight.Token, budget time.Duration) ([]flight.Token, Cost, error) {
	cmds := c.creations(tokens)
	if len(cmds) == 0 {
		return tokens, Cost{}, nil
	}
	cmds = append(cmds, mget(appendKeys(nil, tokens)))
	replies, spent, err := c.e.call(ctx, budget, cmds...)
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

func (c *Class) creations(tokens []flight.Token) []cmd {
	now := time.Now()
	var cmds []cmd
	for _, t := range tokens {
		if t.Value == "" {
			cmds = append(cmds, setPX(t.Key, string(keyspace.NewToken(now)), c.lifeOf(t.ID), "NX"))
		}
	}
	return cmds
}

// lifeOf is how long a token lives that is created for a load. What only entries
// of one key or prefix name need not outlive those by much, and there may be as
// many of them as there are keys. When it ends its entries are misses: strict mode
// takes nothing absent for valid.
func (c *Class) lifeOf(id string) time.Duration {
	switch id {
	case "k", "K", "p1", "p2", "p3", "p4", "P1", "P2", "P3", "P4":
		return min(max(entriesPerToken*c.cfg.Expiry+c.cfg.HardTimeout, time.Hour), tokenLife)
	}
	return tokenLife
}

// entriesPerToken is how many lives of an entry one of its key's token is: at the
// end of each token an entry is lost early.
const entriesPerToken = 16

// createLate creates late tags' tokens that are absent, for the next load, and
// reports whether there were any: this load began without them.
func (r *run) createLate(ctx context.Context, first *job, late []flight.Token) bool {
	cmds := r.c.creations(late)
	if len(cmds) == 0 {
		return false
	}
	if _, err := r.call(ctx, cmds...); err != nil {
		r.failed(first, err)
	}
	return true
}
