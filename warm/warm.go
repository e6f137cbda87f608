package warm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/strategies"
)

// Step is one part of a warm-up. Make one with [Keys], [KeysFunc] or [StepFunc].
type Step struct {
	name string
	run  func(ctx context.Context, store *strategies.Store, load loadOptions) (strategies.WarmReport, error)
}

// Name of the step.
func (s Step) Name() string { return s.name }

// loadOptions are the parts of Options that a step heeds.
type loadOptions struct {
	progress func(done, of int)
	// allow is how many of the wanted keys the budget has room for, when the
	// step has already spent so many commands.
	allow func(wanted, spent int) int
}

// StepFunc is a step that does what fn does. A failed key belongs into fn's
// report, which stops nothing; an error ends the step.
func StepFunc(name string, fn func(ctx context.Context, store *strategies.Store) (strategies.WarmReport, error)) Step {
	return Step{name: name, run: func(ctx context.Context, store *strategies.Store, _ loadOptions) (strategies.WarmReport, error) {
		return fn(ctx, store)
	}}
}

// Keys is a step that loads the given keys of a handle.
func Keys[T any](name string, cache *strategies.Cache[T], keys []string, load strategies.BatchLoader[T], opts ...strategies.Option) Step {
	return KeysFunc(name, cache, func(context.Context) ([]string, error) { return keys, nil }, load, opts...)
}

// KeysFunc is [Keys] for keys that have to be found out first, such as the 100
// most popular ones.
func KeysFunc[T any](name string, cache *strategies.Cache[T], keys func(context.Context) ([]string, error), load strategies.BatchLoader[T], opts ...strategies.Option) Step {
	return Step{name: name, run: func(ctx context.Context, _ *strategies.Store, o loadOptions) (strategies.WarmReport, error) {
		all, err := keys(ctx)
		if err != nil {
			return strategies.WarmReport{}, fmt.Errorf("find the keys: %w", err)
		}
		return inBatches(all, o, func(part []string) (strategies.WarmReport, error) {
			return cache.Warm(ctx, part, load, opts...)
		})
	}}
}

// batchKeys is how many keys go into one read and one pipeline of writes.
const batchKeys = 500

// inBatches runs warm over the keys, as far as the budget goes.
func inBatches(keys []string, o loadOptions, warm func([]string) (strategies.WarmReport, error)) (strategies.WarmReport, error) {
	var total strategies.WarmReport
	for done := 0; done < len(keys); {
		n := min(batchKeys, len(keys)-done)
		if o.allow != nil {
			if n = o.allow(n, total.Commands); n <= 0 {
				return total, ErrBudget
			}
		}
		r, err := warm(keys[done : done+n])
		add(&total, r)
		if err != nil && !ofKeys(err, r.Errors) {
			return total, err
		}
		done += n
		if o.progress != nil {
			o.progress(done, len(keys))
		}
	}
	return total, nil
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

// ErrBudget says that a warm-up ended before its end because Options.Commands
// or Options.Time was used up. What it has stored stays.
var ErrBudget = errors.New("warm: budget used up")

// Options of a run. The zero value is the default.
type Options struct {
	// Progress, if set, is called as keys are done; never by two goroutines
	// at once.
	Progress func(Event)
	// Commands is how many billed commands the run may cost, roughly: a batch
	// that was begun is finished. 0 means any number.
	Commands int
	// Time is how long the run may take; a batch that was begun is finished.
	// 0 means as long as it takes.
	Time time.Duration
}

// Event is one sign of progress.
type Event struct {
	// Step is its name; Index counts from 0 to Steps - 1.
	Step         string
	Index, Steps int
	// Done keys of the step, Of how many; both 0 when it begins.
	Done, Of int
	// End says that the step has ended; Err is its error.
	End bool
	Err error
	// Report so far, of all steps.
	Report Report
}

// Run runs the steps with the default options. See [RunWith].
func Run(ctx context.Context, store *strategies.Store, steps ...Step) (Report, error) {
	return RunWith(ctx, store, Options{}, steps...)
}

// RunWith runs the steps one after the other. A step that fails does not stop
// the next; ctx's end and a used up budget do. The error joins what ended
// steps early; single keys that failed are in the report only. Running it
// again loads only what is missing or stale by then.
func RunWith(ctx context.Context, store *strategies.Store, o Options, steps ...Step) (Report, error) {
	r := runner{ctx: ctx, store: store, o: o, steps: len(steps), began: time.Now()}
	r.report.Errors = map[string]error{}
	var errs []error
	for i, s := range steps {
		if err := r.step(i, s); err != nil {
			errs = append(errs, fmt.Errorf("warm: %s: %w", s.name, err))
			if ctx.Err() != nil || errors.Is(err, ErrBudget) {
				break
			}
		}
	}
	r.report.Elapsed = time.Since(r.began)
	return r.report, errors.Join(errs...)
}

type runner struct {
	ctx    context.Context
	store  *strategies.Store
	o      Options
	steps  int
	began  time.Time
	report Report
}

func (r *runner) step(i int, s Step) error {
	r.tell(Event{Step: s.name, Index: i})
	last := 0
	part, err := s.run(r.ctx, r.store, loadOptions{
		allow: r.allow,
		progress: func(done, of int) {
			last = of
			r.tell(Event{Step: s.name, Index: i, Done: done, Of: of})
		},
	})
	r.report.add(s.name, part)
	if err != nil {
		r.report.Errors[s.name] = err
	}
	r.tell(Event{Step: s.name, Index: i, Done: last, Of: last, End: true, Err: err})
	return err
}

// allow is how many of the wanted keys the budget still has room for: each may
// cost one command, and the batch one.
func (r *runner) allow(wanted, spent int) int {
	if r.ctx.Err() != nil || r.o.Time > 0 && time.Since(r.began) >= r.o.Time {
		return 0
	}
	if r.o.Commands <= 0 {
		return wanted
	}
	return min(wanted, r.o.Commands-r.report.Commands-spent-1)
}

func (r *runner) tell(e Event) {
	if r.o.Progress != nil {
		e.Steps, e.Report = r.steps, r.report
		r.o.Progress(e)
	}
}
