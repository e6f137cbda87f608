package strategies

import (
	"context"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// InPlace runs the load of this call, if it starts one, in the goroutine of its
// caller, which waits for the load's end whatever becomes of its context: an
// HTTP handler must not run on after its request. Other callers of the key wait
// for the load on their own contexts.
//
// A stale value comes back at once. Its refresh is not begun but left in later:
// the caller answers first and then calls [Refresh.Run] or [Refresh.Go].
func InPlace(later *Refresh) Option { return func(o *options) { o.Later = &later.r } }

// Refresh is the refresh of a stale value that a call with [InPlace] leaves to
// its caller. The zero value is none.
type Refresh struct{ r engine.Refresh }

// Due reports whether there is a refresh to be done. There is none while
// another caller's is under way, after one that failed lately, and where the
// last load took longer than an inline refresh may, up to the last quarter of
// the window.
func (r *Refresh) Due() bool { return r.r.Due() }

// Run does the refresh in the caller's goroutine. The load's context has no
// more than the inline budget of time: that of an Inline executor, else
// [DefaultInline]; in the last quarter of the window all that a load has.
func (r *Refresh) Run(ctx context.Context) { r.r.Run(ctx) }

// Go hands work, which is to do the refresh with [Refresh.Do], to the Store's
// executor. It reports whether that took it: an executor whose callers wait
// does not.
func (r *Refresh) Go(work func()) bool { return r.r.Go(work) }

// Do does the refresh in the caller's goroutine without a limit but the load's.
func (r *Refresh) Do(ctx context.Context) { r.r.Do(ctx) }
