package strategies

import (
	"context"
	"errors"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
)

// Invalidate makes what the targets name invalid: in this process before it
// returns, everywhere as soon as Redis has confirmed. Tags, keys, prefixes and
// all together cost one command each in one round trip; patterns follow and
// cost more. The error is [ErrPending] if something was not confirmed, which is
// then sent again with later commands of this Store; [ErrSoft] or
// invalidate.ErrTarget if the targets are wrong, and nothing was done.
//
// A Store without a client or switched off has nothing to invalidate, except
// that one switched off by Disabled still sends: other processes may be on.
func (s *Store) Invalidate(ctx context.Context, targets ...invalidate.Target) (invalidate.Report, error) {
	plan, err := invalidate.Resolve(s.cfg.Namespace, targets...)
	if err != nil {
		return invalidate.Report{}, err
	}
	if plan.Soft && !s.cfg.Soft {
		return invalidate.Report{}, ErrSoft
	}
	s.counters.invalidations.Add(1)
	if s.c == nil {
		return invalidate.Report{}, nil
	}
	report, err := s.carryOut(ctx, plan)
	if f := s.cfg.Trace.Invalidate; f != nil {
		f(report, err)
	}
	return report, err
}

func (s *Store) carryOut(ctx context.Context, plan invalidate.Plan) (invalidate.Report, error) {
	var report invalidate.Report
	var err error
	if len(plan.Tokens) > 0 {
		var spent cost
		spent, err = s.replaceTokens(ctx, plan.Tokens)
		report.Commands, report.Trips = spent.commands, spent.trips
		report.Pending = s.pending.len()
	}
	for _, scan := range plan.Scans {
		part, scanErr := scan.Run(ctx, bounded{s})
		report.Commands += part.Commands
		report.Trips += part.Trips
		report.Keys += part.Keys
		report.Matched = append(report.Matched, part.Matched...)
		if s.cfg.Local != nil && part.Keys > 0 {
			s.cfg.Local.Clear()
		}
		err = errors.Join(err, scanErr)
	}
	return report, err
}

// bounded is the Store's Redis behind its breaker, each request within its budget.
type bounded struct{ s *Store }

// Batch sends cmds as one request and fails with the first error in it.
func (b bounded) Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error) {
	own := make([]cmd, len(cmds))
	for i, c := range cmds {
		own[i] = command.New(asIs, c.Args()[0], c.Args()[1:]...)
		if c.ReadOnly() {
			own[i] = own[i].Read()
		}
	}
	replies, _, err := b.s.call(ctx, b.s.cfg.Budget, own...)
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
