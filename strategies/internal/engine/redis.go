package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// setMany sends cmds as [Engine.call] does, but plain SETs of one lifetime as one
// MSETEX: n entries or tokens are then billed as one command. A Redis that does
// not know it is noticed once, and gets SETs from then on.
func (e *Engine) setMany(ctx context.Context, budget time.Duration, cmds []cmd) ([]reply, Cost, error) {
	began := time.Now()
	joined, place := e.join(cmds)
	replies, spent, err := e.call(ctx, budget, joined...)
	if err != nil {
		return nil, spent, err
	}
	all := spread(replies, place)
	var again []int // of cmds: those whose MSETEX was not carried out
	refused := map[int]bool{}
	for i, at := range place {
		if joined[at].Args()[0] == msetex && notCarriedOut(all[i].err) {
			again, refused[at] = append(again, i), true
		}
	}
	if len(again) == 0 {
		return all, spent, nil
	}
	spent.Commands -= len(refused) // what Redis does not know is not billed
	e.counters.add(CountCommands, -int64(len(refused)))
	single := make([]cmd, len(again))
	for i, at := range again {
		single[i] = cmds[at]
	}
	replies, more, err := e.call(ctx, budget-time.Since(began), single...)
	spent.add(more)
	if err != nil {
		return nil, spent, err
	}
	for i, at := range again {
		all[at] = replies[i]
	}
	if firstError(replies) == nil {
		e.noMSETEX.Store(true)
	}
	return all, spent, nil
}

// confirm takes what was confirmed off the list and voids once more: loads may
// have begun between the first time and Redis's answer.
func (e *Engine) confirm(sent sending, replies []reply) {
	if len(sent.keys) == 0 {
		return
	}
	if confirmed := e.pending.done(sent, replies, time.Now()); len(confirmed) > 0 {
		e.void(confirmed)
	}
}

// share is how long a caller waits for the cache before its load: never more
// than the budget, nor than a third of the time it has. The rest is the load's.
func (e *Engine) share(ctx context.Context) time.Duration {
	if end, bounded := ctx.Deadline(); bounded {
		return min(e.cfg.Budget, time.Until(end)/3)
	}
	return e.cfg.Budget
}

// enough is the budget from which on running out of it says something about
// Redis.
const enough = 100 * time.Millisecond

// call sends cmds as one request, pending invalidations first if it is time to
// try them again, within budget.
// It fails only as a whole; a Redis error is in its reply.
func (e *Engine) call(ctx context.Context, budget time.Duration, cmds ...cmd) ([]reply, Cost, error) {
	if budget <= 0 {
		return nil, Cost{}, errBudget
	}
	e.thaw()
	done, err := e.breaker.Allow()
	if err != nil {
		return nil, Cost{}, err
	}
	outcome := breaker.Neutral()
	defer func() { done(outcome) }()
	sending := e.pending.due(time.Now())
	defer e.pending.leave(sending.keys)
	ahead, place := e.join(sending.cmds)
	first := len(ahead)
	batch := make([]command.Cmd, 0, first+len(cmds)+1)
	for _, c := range ahead {
		batch = append(batch, c)
	}
	flush, flushed, due := e.fleetFlush(time.Now())
	if first+len(cmds) == 0 && !due {
		return nil, Cost{}, nil
	}
	var spent Cost
	var replies []reply
	if due {
		batch = append(batch, flush)
		defer func() { flushed(spent.Trips > 0, replies[min(first, len(replies)):]) }()
	}
	for _, c := range cmds {
		batch = append(batch, c)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, budget, errBudget)
	defer cancel()
	replies, err = e.send(bounded, batch, cmds)
	spent = e.bill(batch, replies, err)
	outcome = e.outcome(ctx, bounded, budget, err)
	if err != nil {
		e.confirm(sending, nil)
		if ctx.Err() == nil && ranOut(bounded, err) {
			err = errors.Join(errBudget, err)
		}
		if ctx.Err() == nil && !errors.Is(err, client.ErrTooLarge) {
			e.log.warn("call", "the cache did not answer", "error", err)
		}
		return nil, spent, err
	}
	e.confirm(sending, spread(replies[:first], place))
	e.doubt(ahead, replies[:first])
	return replies[len(replies)-len(cmds):], spent, nil
}

// send turns a panic of the transport into an error.
func (e *Engine) send(ctx context.Context, batch []command.Cmd, own []cmd) (replies []reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			replies, err = nil, e.cfg.Panicked(p)
		}
	}()
	// The answer to a single command is smaller than that to a batch of one.
	if c, ok := e.redis.(*client.Client); ok && len(batch) == 1 && len(own) == 1 {
		r, err := client.Do(ctx, c, own[0])
		if err != nil && (client.Unavailable(err) || ctx.Err() != nil || !answered(err)) {
			return nil, err
		}
		return []reply{{Reply: r, err: err}}, nil
	}
	raw, err := e.redis.Batch(ctx, batch...)
	if err != nil {
		return nil, err
	}
	if len(raw) != len(batch) {
		return nil, errShort
	}
	replies = make([]reply, len(raw))
	for i, r := range raw {
		replies[i] = reply{Reply: r, err: client.ReplyError(batch[i], r)}
	}
	return replies, nil
}

// ranOut reports whether the budget's end is why a call failed: an answer that
// says no is told as what it is, however late it came.
func ranOut(bounded context.Context, err error) bool {
	return bounded.Err() != nil && errors.Is(err, context.DeadlineExceeded)
}

// outage reports whether Redis did not answer a request as a whole. An error of
// another Redis than the client's says nothing of itself, so it is one.
func outage(err error) bool {
	if _, ours := errors.AsType[*client.Error](err); ours {
		return client.Unavailable(err)
	}
	return !errors.Is(err, client.ErrTooLarge)
}

// outcome is what the breaker learns from a call.
func (e *Engine) outcome(caller, bounded context.Context, budget time.Duration, err error) breaker.Outcome {
	switch {
	case err == nil:
		return breaker.Success()
	case caller.Err() != nil:
		return breaker.Neutral()
	case ranOut(bounded, err) && budget < enough:
		return breaker.Neutral()
	case ranOut(bounded, err):
		return breaker.Failure(fmt.Errorf("%w: %w", errBudget, err))
	case outage(err):
		return breaker.Failure(err)
	}
	return breaker.Neutral() // refused before anything was sent
}

func (e *Engine) bill(batch []command.Cmd, replies []reply, err error) Cost {
	if fail, ok := errors.AsType[*client.Error](err); ok && fail.Sent == client.SentNo {
		return Cost{}
	}
	c := Cost{Commands: len(batch), Trips: 1}
	var out, in int
	for _, b := range batch {
		for _, a := range b.Args() {
			out += len(a)
		}
	}
	for _, r := range replies {
		in += len(r.Bytes)
		for _, e := range r.Array {
			in += len(e.Bytes)
		}
	}
	e.counters.charge(c, in, out)
	return c
}
