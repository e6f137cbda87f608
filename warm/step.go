package warm

import (
	"context"
	"errors"
	"fmt"

	"github.com/cldcde/restash/strategies"
)

// Step is one part of a warm-up. Make one with [Keys], [KeysFunc], [Batches] or
// [StepFunc], or with handler.Warm.
type Step struct {
	name     string
	priority int
	run      func(ctx context.Context, store *strategies.Store, m *meter) (strategies.WarmReport, error)
}

// Name of the step.
func (s Step) Name() string { return s.name }

// Priority returns the step with a priority: steps with a higher one run
// first, those with the same in the order they stand in. The default is 0.
func (s Step) Priority(n int) Step {
	s.priority = n
	return s
}

// StepFunc is a step that does what fn does, in one piece: no budget divides
// it. A failed key belongs into fn's report, which stops nothing; an error ends
// the step.
func StepFunc(name string, fn func(ctx context.Context, store *strategies.Store) (strategies.WarmReport, error)) Step {
	return Step{name: name, run: func(ctx context.Context, store *strategies.Store, m *meter) (strategies.WarmReport, error) {
		if m.reserve(1) == 0 {
			return strategies.WarmReport{}, m.usedUp()
		}
		r, err := fn(ctx, store)
		m.done(1, r)
		return r, err
	}}
}

// Keys is a step that loads the given keys of a handle.
func Keys[T any](name string, cache *strategies.Cache[T], keys []string, load strategies.BatchLoader[T], opts ...strategies.Option) Step {
	return KeysFunc(name, cache, func(context.Context) ([]string, error) { return keys, nil }, load, opts...)
}

// KeysFunc is [Keys] for keys that have to be found out first, such as the 100
// most popular ones.
func KeysFunc[T any](name string, cache *strategies.Cache[T], keys func(context.Context) ([]string, error), load strategies.BatchLoader[T], opts ...strategies.Option) Step {
	return Batches(name, keys, func(ctx context.Context, _ *strategies.Store, part []string) (strategies.WarmReport, error) {
		return cache.Warm(ctx, part, load, opts...)
	})
}

// batchKeys is how many keys go into one read and one pipeline of writes.
const batchKeys = 500

// Batches is a step that gives its keys to fn, up to 500 at a time. An error
// that is also that of a key in fn's report stops nothing else; another one
// ends the step.
func Batches(name string, keys func(context.Context) ([]string, error), fn func(ctx context.Context, store *strategies.Store, part []string) (strategies.WarmReport, error)) Step {
	return Step{name: name, run: func(ctx context.Context, store *strategies.Store, m *meter) (strategies.WarmReport, error) {
		var total strategies.WarmReport
		all, err := keys(ctx)
		if err != nil {
			return total, fmt.Errorf("find the keys: %w", err)
		}
		m.of = len(all)
		m.at = min(m.at, len(all))
		for m.at < len(all) {
			n := m.reserve(min(batchKeys, len(all)-m.at))
			if n == 0 {
				return total, m.usedUp()
			}
			part, err := fn(ctx, store, all[m.at:m.at+n])
			if ctx.Err() != nil && (err != nil || part.Failed > 0) { // nothing has failed: the next run begins with this batch
				part.Failed, part.Errors, err = 0, nil, ctx.Err()
			}
			add(&total, part)
			m.done(n, part)
			if err != nil && !ofKeys(err, part.Errors) {
				return total, err
			}
			m.at += n
			m.tell()
		}
		return total, nil
	}}
}

// ofKeys reports whether a batch's error is that of single keys: then the next
// batch may fare better.
func ofKeys(err error, keys map[string]error) bool {
	for _, e := range keys {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// add adds one batch's report to a step's.
func add(total *strategies.WarmReport, part strategies.WarmReport) {
	total.Warmed += part.Warmed
	total.Fresh += part.Fresh
	total.Absent += part.Absent
	total.Failed += part.Failed
	total.Commands += part.Commands
	total.Trips += part.Trips
	total.Bytes += part.Bytes
	for key, err := range part.Errors {
		if total.Errors == nil {
			total.Errors = map[string]error{}
		}
		total.Errors[key] = err
	}
}
