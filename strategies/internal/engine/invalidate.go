package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/client/command"
)

// Spent is what an invalidation has sent, and how much is pending behind it.
type Spent struct {
	Cost
	Pending int
}

// CountInvalidation counts one that was asked for.
func (e *Engine) CountInvalidation() { e.counters.add(CountInvalidations, 1) }

// Invalidate replaces tokens, by their Redis keys. What Redis did not confirm is
// pending, and the error is then [ErrPending].
func (e *Engine) Invalidate(ctx context.Context, tokens []string) (Spent, error) {
	c, err := e.replaceTokens(ctx, tokens)
	return Spent{Cost: c, Pending: e.pending.len()}, err
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

// replaceTokens gives each key a new token, now if possible. What is not
// confirmed is pending, and the error is then [ErrPending] with its cause.
func (e *Engine) replaceTokens(ctx context.Context, keys []string) (Cost, error) {
	e.void(keys)
	seq := e.pending.add(keys)
	defer e.pending.leave(keys)
	return e.sendPending(ctx, keys, seq)
}

// sendPending sends the keys until they are confirmed as they were asked for at
// seq, in as many requests as that takes. Others may ask for them again meanwhile.
func (e *Engine) sendPending(ctx context.Context, keys []string, seq uint64) (Cost, error) {
	var spent Cost
	var cause error
	for part := range slices.Chunk(keys, maxPending) {
		c, err := e.sendPart(ctx, part, seq)
		spent.add(c)
		if cause = Join(cause, err); err != nil && !answered(err) {
			break // so would the next
		}
	}
	if cause == nil {
		return spent, nil
	}
	e.log.warn("pending", "cache invalidations are pending", "tokens", e.pending.len(), "cause", cause)
	return spent, &pendingFailure{cause}
}

// sendPart sends what fits into one request, once more if that had an unknown end.
func (e *Engine) sendPart(ctx context.Context, keys []string, seq uint64) (spent Cost, err error) {
	start := time.Now()
	// The database was changed: the caller's leaving must not keep the cache
	// from hearing of it.
	detached := context.WithoutCancel(ctx)
	for range 2 {
		sent := e.pending.take(keys, seq)
		if len(sent.keys) == 0 {
			return spent, nil // others have sent them
		}
		replies, c, fail := e.setMany(detached, e.cfg.Budget-time.Since(start), sent.cmds)
		spent.add(c)
		e.confirm(sent, replies)
		if fail == nil {
			return spent, firstError(replies)
		}
		err = Join(err, fail)
	}
	return spent, err
}

// pendingFailure is ErrPending with what kept it from being confirmed.
type pendingFailure struct{ cause error }

func (e *pendingFailure) Error() string {
	return ErrPending.Error() + ": " + strings.ReplaceAll(e.cause.Error(), "\n", "; ")
}

func (e *pendingFailure) Unwrap() []error { return []error{ErrPending, e.cause} }

// flushPending confirms what is pending, as long as ctx allows.
func (e *Engine) flushPending(ctx context.Context) error {
	if e.redis == nil || e.pending.len() == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return &pendingFailure{err}
	}
	keys, seq := e.pending.hold()
	defer e.pending.leave(keys)
	_, err := e.sendPending(ctx, keys, seq)
	return err
}
