package engine

import (
	"context"

	"github.com/cldcde/restash/client/command"
)

// Spent is what an invalidation has sent, and how much is pending behind it.
type Spent struct{ Commands, Trips, Pending int }

// CountInvalidation counts one that was asked for.
func (e *Engine) CountInvalidation() { e.counters.invalidations.Add(1) }

// Invalidate replaces tokens, by their Redis keys. What Redis did not confirm is
// pending, and the error is then [ErrPending].
func (e *Engine) Invalidate(ctx context.Context, tokens []string) (Spent, error) {
	c, err := e.replaceTokens(ctx, tokens)
	return Spent{Commands: c.commands, Trips: c.trips, Pending: e.pending.len()}, err
}

// Bounded is the engine's Redis behind its breaker, each request within its
// budget. It fails with the first error in a reply.
func (e *Engine) Bounded() Redis { return bounded{e} }

type bounded struct{ e *Engine }

// Batch sends cmds as one request.
func (b bounded) Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error) {
	own := make([]cmd, len(cmds))
	for i, c := range cmds {
		own[i] = command.New(asIs, c.Args()[0], c.Args()[1:]...)
		if c.ReadOnly() {
			own[i] = own[i].Read()
		}
	}
	replies, _, err := b.e.call(ctx, b.e.cfg.Budget, own...)
	if err == nil {
		err = firstError(replies)
	}
	if err != nil {
		return nil, err
	}
	raw := make([]command.Reply, len(replies))
	for i, r := range replies {
		raw[i] = r.Reply
	}
	return raw, nil
}

// ForgetLocal empties the local cache.
func (e *Engine) ForgetLocal() {
	if e.cfg.Local != nil {
		e.cfg.Local.Clear()
	}
}
