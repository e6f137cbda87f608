package strategies

import (
	"context"
	"errors"
	"slices"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies/internal/engine"
)

// WriteThrough saves value with save and stores what save returns: the row as the
// database has it, with the columns that it has filled in. A read that starts after
// it returned nil never gets an older value from the cache. If save fails, its
// error comes back unchanged, nothing is stored and what was cached is
// invalidated: the save may have been committed all the same. If the save
// succeeded but Redis did not confirm, the error is [ErrPending].
//
// Of two writers of one key at the same time neither's value is stored unless
// it is certain that it was the last. It costs three billed commands in two
// round trips, one more of each when another writer was there.
func (c *Cache[T]) WriteThrough(ctx context.Context, key string, value T, save func(ctx context.Context, value T) (T, error), opts ...Option) error {
	o, keys, current := c.options(opts), []string{key}, func(string) any { return &value }
	c.tagWrite(o, keys, current)
	return c.write(ctx, keys, current, func(ctx context.Context) error {
		row, err := save(ctx, value)
		if err != nil {
			return err
		}
		value = row
		if !c.tagged(&value, o, key) {
			o.TTL = 0 // it has tags that were not read before the save: not stored
		}
		return nil
	}, o)
}

// Set stores value as [Cache.WriteThrough] does, without a save. The last Set
// wins, but the value is older than the moment it is stored: where a database
// is written use WriteThrough.
func (c *Cache[T]) Set(ctx context.Context, key string, value T, opts ...Option) error {
	o, keys, current := c.options(opts), []string{key}, func(string) any { return &value }
	c.tagWrite(o, keys, current)
	return c.write(ctx, keys, current, nil, o)
}

// SetMany is [Cache.Set] for many values: n of them cost 2 + n commands in two
// round trips, per 4 MiB; without MSETEX 1 + 2n.
func (c *Cache[T]) SetMany(ctx context.Context, values map[string]T, opts ...Option) error {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	value := func(key string) any {
		v := values[key]
		return &v
	}
	var errs error
	for part := range slices.Chunk(keys, setKeys) {
		o := c.options(opts)
		c.tagWrite(o, part, value)
		errs = errors.Join(errs, c.write(ctx, part, value, nil, o))
	}
	return errs
}

// setKeys is how many keys one request of SetMany writes at most.
const setKeys = 500

func (c *Cache[T]) write(ctx context.Context, keys []string, value func(string) any, save func(context.Context) error, o *options) error {
	st, err := c.class.Write(ctx, keys, value, save, &o.Options)
	o.report(st)
	return err
}

// Delete runs del, which removes or changes the value in the database, and
// invalidates the key, also when del fails; del's error comes back unchanged. A
// nil del only invalidates. The next read loads. It costs one command.
func (c *Cache[T]) Delete(ctx context.Context, key string, del func(ctx context.Context) error) error {
	return c.DeleteMany(ctx, []string{key}, del)
}

// DeleteMany is [Cache.Delete] for many keys in one round trip.
func (c *Cache[T]) DeleteMany(ctx context.Context, keys []string, del func(ctx context.Context) error) error {
	if del != nil {
		if err := c.class.Save(ctx, keys, del); err != nil {
			return err
		}
	}
	return c.class.Invalidate(ctx, keys)
}

// Invalidate makes what the targets name invalid: in this process before it
// returns, everywhere as soon as Redis has confirmed. Any number of tags, keys
// and prefixes, and all, cost one command in one round trip, per 1,000 of them;
// without MSETEX one command each. Patterns follow and cost more. The error is
// [ErrPending] if something was not confirmed, which is then sent again with later commands of this Store; [ErrSoft] or
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
	if len(plan.Scans) > 0 {
		s.engine.Stored(ctx) // a scan sees only what is there
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
