package warm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/cldcde/restash/strategies"
)

// ErrBudget says that a warm-up ended before its end because Options.Commands
// or Options.Time was used up. What it has stored stays, and Report.Next says
// where to go on.
var ErrBudget = errors.New("warm: budget used up")

// ErrFrom says that Options.From is no Next of this plan's reports.
var ErrFrom = errors.New("warm: Options.From is wrong")

// Options of a run. The zero value is the default.
type Options struct {
	// Progress, if set, is called as keys are done; never by two goroutines
	// at once.
	Progress func(Event)
	// Commands is how many billed commands the run may cost. A batch that was
	// begun is finished, and one that cannot be divided may exceed it. 0 means
	// any number.
	Commands int
	// Time is how long the run may take; a batch that was begun is finished.
	// 0 means as long as it takes.
	Time time.Duration
	// Concurrency is how many steps run at once. 0 means 1.
	Concurrency int
	// From is the Next of an earlier run's report: what comes before it is not
	// even asked for. "" means from the beginning.
	From string
	// Force takes a [Plan] over from another instance that runs it.
	Force bool
}

// Event is one sign of progress.
type Event struct {
	// Step is its name; Index counts from 0 to Steps - 1.
	Step         string
	Index, Steps int
	// Done keys of the step, Of how many; both 0 when it begins.
	Done, Of int
	// Left is about how long the rest of the step will take; 0 if that is not
	// known.
	Left time.Duration
	// Rate is how many keys of the step are done a second; 0 if that is not
	// known.
	Rate float64
	// End says that the step has ended; Err is its error.
	End bool
	Err error
	// Report so far, of all steps; its Errors are valid during the call only.
	Report Report
}

// Run runs the steps with the default options. See [RunWith].
func Run(ctx context.Context, store *strategies.Store, steps ...Step) (Report, error) {
	return RunWith(ctx, store, Options{}, steps...)
}

// RunWith runs the steps by their priority, one after the other unless
// Options.Concurrency says otherwise. A step that fails does not stop the next;
// ctx's end and a used up budget do. The error joins what ended steps early;
// single keys that failed are in the report only. Running it again loads only
// what is missing or stale by then.
func RunWith(ctx context.Context, store *strategies.Store, o Options, steps ...Step) (Report, error) {
	r := &runner{o: o, began: time.Now(), report: Report{Namespace: store.Namespace(), Errors: map[string]error{}}}
	r.steps = slices.Clone(steps)
	slices.SortStableFunc(r.steps, func(a, b Step) int { return b.priority - a.priority })
	first, offset, err := r.start()
	if err != nil {
		return r.report, err
	}
	r.run(ctx, store, first, offset)
	r.report.Elapsed = time.Since(r.began)
	r.report.Next = r.next()
	return r.report, errors.Join(r.errs...)
}

// runner is one run. Its meters share it.
type runner struct {
	o     Options
	steps []Step
	began time.Time

	mu     sync.Mutex
	report Report
	// spent commands, with those that are reserved for batches under way.
	spent int
	errs  []error
	// ended says how far each step came: -1 is to its end.
	ended map[int]int
}

// run runs the steps from the first, so many at once.
func (r *runner) run(ctx context.Context, store *strategies.Store, first, offset int) {
	r.ended = map[int]int{}
	places := make(chan struct{}, max(r.o.Concurrency, 1))
	var wg sync.WaitGroup
	for i := first; i < len(r.steps); i++ {
		places <- struct{}{}
		if r.over(ctx) {
			if err := ctx.Err(); err != nil {
				r.fail(fmt.Errorf("warm: %w", err))
			}
			break
		}
		m := &meter{r: r, ctx: ctx, index: i, began: time.Now()}
		if i == first {
			m.at, m.first = offset, offset
		}
		wg.Go(func() {
			defer func() { <-places }()
			r.step(store, m)
		})
	}
	wg.Wait()
}

// over reports whether no further step is to begin.
func (r *runner) over(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ctx.Err() != nil || slices.ContainsFunc(r.errs, func(err error) bool { return errors.Is(err, ErrBudget) })
}

func (r *runner) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *runner) step(store *strategies.Store, m *meter) {
	m.tell()
	var part strategies.WarmReport
	// What a step leaves by that neither returns nor panics: runtime.Goexit.
	var err error = &strategies.PanicError{Value: "the step ended its goroutine (runtime.Goexit)"}
	defer func() {
		if p := recover(); p != nil {
			err = &strategies.PanicError{Value: p, Stack: debug.Stack()}
		}
		r.stepped(m, part, err)
	}()
	part, err = r.steps[m.index].run(m.ctx, store, m)
}

// stepped notes how a step ended.
func (r *runner) stepped(m *meter, part strategies.WarmReport, err error) {
	r.mu.Lock()
	name := r.steps[m.index].name
	for key, e := range part.Errors {
		r.report.Errors[name+": "+key] = e
	}
	r.ended[m.index] = -1
	if err != nil {
		r.report.Errors[name] = err
		r.errs = append(r.errs, fmt.Errorf("warm: %s: %w", name, err))
		if m.ctx.Err() != nil || errors.Is(err, ErrBudget) {
			r.ended[m.index] = m.at
		}
	}
	r.mu.Unlock()
	m.end(err)
}

// meter is one step's share of a run.
type meter struct {
	r     *runner
	ctx   context.Context
	index int
	began time.Time
	at    int // keys that are done
	first int // keys that were done before it began
	of    int
}

// reserve asks for room for n keys in the budget: each may cost one command,
// and the batch one. It returns how many there is room for.
func (m *meter) reserve(n int) int {
	r := m.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.ctx.Err() != nil || r.o.Time > 0 && time.Since(r.began) >= r.o.Time {
		return 0
	}
	if r.o.Commands > 0 {
		n = min(n, r.o.Commands-r.spent-1)
	}
	if n <= 0 {
		return 0
	}
	r.spent += n + 1
	return n
}

// usedUp is why there was no room.
func (m *meter) usedUp() error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	return ErrBudget
}

// done gives back what a batch of n keys did not use, and adds its report.
func (m *meter) done(n int, part strategies.WarmReport) {
	r := m.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent += part.Commands - n - 1
	r.report.add(part)
}

func (m *meter) tell() {
	m.send(Event{Done: m.at, Of: m.of, Left: m.left(), Rate: m.rate()})
}
func (m *meter) end(err error) { m.send(Event{Done: m.at, Of: m.of, End: true, Err: err}) }

func (m *meter) rate() float64 {
	if m.at <= m.first {
		return 0
	}
	return float64(m.at-m.first) / max(time.Since(m.began).Seconds(), 1e-9)
}

func (m *meter) left() time.Duration {
	rate := m.rate()
	if rate == 0 || m.at >= m.of {
		return 0
	}
	return time.Duration(float64(m.of-m.at) / rate * float64(time.Second))
}

func (m *meter) send(e Event) {
	r := m.r
	if r.o.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Step, e.Index, e.Steps, e.Report = r.steps[m.index].name, m.index, len(r.steps), r.report
	r.o.Progress(e)
}
