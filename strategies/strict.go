package strategies

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

// createTokens makes the snapshot of a load complete; on failure the load goes
// on without one.
func (r *run[T]) createTokens(ctx context.Context) {
	s := r.c.store
	began := time.Now()
	tokens, spent, err := s.create(context.WithoutCancel(ctx), r.snap.tokens, r.budget)
	r.budget -= time.Since(began)
	r.out.cost.add(spent)
	if err != nil {
		r.failed(err)
		r.snap = nil
		return
	}
	r.snap = r.snap.with(tokens)
	s.flights.Renew(r.fl, tokens)
}

// create creates the tokens that are absent and returns all as they are then.
func (s *Store) create(ctx context.Context, tokens []flight.Token, budget time.Duration) ([]flight.Token, cost, error) {
	cmds := creations(tokens)
	if len(cmds) == 0 {
		return tokens, cost{}, nil
	}
	cmds = append(cmds, mget(appendKeys(nil, tokens)))
	replies, spent, err := s.call(ctx, budget, cmds...)
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
func (r *run[T]) createLate(ctx context.Context, late []flight.Token) bool {
	cmds := creations(late)
	if len(cmds) == 0 {
		return false
	}
	if _, err := r.call(ctx, cmds...); err != nil {
		r.failed(err)
	}
	return true
}
