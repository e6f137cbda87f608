package strategies

import (
	"context"
	"errors"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies/internal/engine"
)

// Invalidate makes what the targets name invalid: in this process before it
// returns, everywhere as soon as Redis has confirmed. Any number of tags, keys
// and prefixes, and all, cost one command in one round trip, per 1,000 of them;
// without MSETEX one command each. Patterns follow and cost more. The error is [ErrPending] if something was not confirmed, which is
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
	s.engine.CountInvalidation()
	if s.redis == nil {
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
		var spent engine.Spent
		spent, err = s.engine.Invalidate(ctx, plan.Tokens)
		report.Commands, report.Trips, report.Pending = spent.Commands, spent.Trips, spent.Pending
	}
	for _, scan := range plan.Scans {
		part, scanErr := scan.Run(ctx, s.engine.Bounded())
		report.Commands += part.Commands
		report.Trips += part.Trips
		report.Keys += part.Keys
		report.Matched = append(report.Matched, part.Matched...)
		if part.Keys > 0 {
			s.engine.ForgetLocal()
		}
		err = errors.Join(err, scanErr)
	}
	return report, err
}
