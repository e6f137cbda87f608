package strategies

import (
	"context"
	"time"

	"github.com/cldcde/restash/internal/flight"
)

// InPlace runs the load of this call, if it starts one, in the goroutine of its
// caller, which waits for the load's end whatever becomes of its context: an
// HTTP handler must not run on after its request. Other callers of the key wait
// for the load on their own contexts.
//
// A stale value comes back at once. Its refresh is not begun but left in later:
// the caller answers first and then calls [Refresh.Run] or [Refresh.Go].
func InPlace(later *Refresh) Option { return func(o *options) { o.later = later } }

// Refresh is the refresh of a stale value that a call with [InPlace] leaves to
// its caller. The zero value is none.
type Refresh struct {
	run  func(ctx context.Context)
	exec Executor
	// full says that it may take as long as a load: the window ends soon.
	full bool
}

// Due reports whether there is a refresh to be done. There is none while
// another caller's is under way, after one that failed lately, and where the
// last load took longer than an inline refresh may, up to the last quarter of
// the window.
func (r *Refresh) Due() bool { return r.run != nil }

// Run does the refresh in the caller's goroutine. The load's context has no
// more than the inline budget of time: that of an Inline executor, else
// [DefaultInline]; in the last quarter of the window all that a load has.
func (r *Refresh) Run(ctx context.Context) {
	if r.run == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if !r.full {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, inlineBudget(r.exec))
		defer cancel()
	}
	r.run(ctx)
}

// Go hands work, which is to do the refresh with [Refresh.Do], to the Store's
// executor. It reports whether that took it: an executor whose callers wait
// does not.
func (r *Refresh) Go(work func()) bool {
	return r.run != nil && r.exec.Wait() == 0 && r.exec.Submit(work)
}

// Do does the refresh in the caller's goroutine without a limit but the load's.
func (r *Refresh) Do(ctx context.Context) {
	if r.run != nil {
		r.run(ctx)
	}
}

func inlineBudget(e Executor) time.Duration {
	if wait := e.Wait(); wait > 0 {
		return wait
	}
	return DefaultInline
}

// leave puts the refresh of a stale value into o.later, if one is to be done.
func (f *fetch[T]) leave(read *flight.Read, a *answer, v verdict, old T) {
	s := f.c.store
	fits := v.last || a.entry.LoadTime <= inlineBudget(s.exec)
	*f.o.later = Refresh{}
	if s.backingOff(f.q.entry) || !fits || s.flights.Busy(f.q.entry, read, a.tokens) {
		return
	}
	*f.o.later = Refresh{exec: s.exec, full: v.last, run: func(ctx context.Context) {
		ctx = onItsOwn(ctx)
		k := s.flights.Join(f.q.entry, read, a.tokens, false)
		if k.Started {
			f.c.start(ctx, k.Load, f.newRun(ctx, k.Load, a, &old, true), f.load, true)
		}
	}}
}
