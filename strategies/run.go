package strategies

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/cldcde/restash/internal/flight"
)

type loadFunc[T any] = func(ctx context.Context, l *Load[T]) (T, error)

// loaded is what a load hands to its waiters.
type loaded[T any] struct {
	value     T
	stored    bool
	oversized bool
	ttl       time.Duration
	size      int // of the stored entry, in bytes
	cost      cost
	cacheErr  error
}

// run is one load under way.
type run[T any] struct {
	c    *Cache[T]
	q    query
	fl   *flight.Load
	snap *answer // nil: no snapshot, nothing is stored
	load Load[T]
	// refresh says that a stale value was there.
	refresh bool
	// budget is what is left for the cache.
	budget time.Duration
	began  time.Time
	out    loaded[T]
	place  *place // among MaxLoads
	// held gives a lease back while holds is true.
	held  cmd
	holds bool
	// loadErr is the error of a batch's load for this key.
	loadErr error
}

// start runs the loader without its caller's cancellation, in a goroutine of its
// own or here. One that runs here keeps its caller's deadline.
func (c *Cache[T]) start(ctx context.Context, fl *flight.Load, r *run[T], fn loadFunc[T], here bool) {
	lctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	if deadline, has := ctx.Deadline(); here && has {
		var end context.CancelFunc
		lctx, end = context.WithDeadline(lctx, deadline)
		defer end()
	}
	hard := time.AfterFunc(c.cfg.Advanced.HardTimeout, func() {
		cancel(ErrLoadTimeout)
		c.store.flights.Abandon(fl, ErrLoadTimeout)
	})
	r.load.release = func() {
		if hard.Stop() {
			context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
		}
		c.store.flights.Keep(fl)
		r.place.leave() // a stream may take hours
	}
	work := func() {
		defer cancel(nil)
		defer hard.Stop()
		r.run(lctx, fn)
	}
	if here {
		c.store.loads.here(work)
		return
	}
	c.store.spawn(work)
}

// run loads and stores. Whatever follows a call into user code is deferred:
// such a call may panic, or end its goroutine as t.FailNow does.
func (r *run[T]) run(ctx context.Context, fn loadFunc[T]) {
	s := r.c.store
	err := error(exited())
	defer func() { s.flights.Finish(r.fl, &r.out, err) }()
	var e error
	if r.place, e = s.acquire(ctx, r.fl); e != nil {
		err = e
		return
	}
	ctx, work := s.begin(ctx, r.place, r.fl)
	defer work.End()
	defer func() { r.c.stats.charge(r.out.cost, 0, r.out.size) }()
	defer r.place.leave()
	if r.snap != nil && s.cfg.Strict {
		r.createTokens(ctx)
	}
	if !r.refresh {
		if value, e, found := r.lease(ctx); found {
			r.out.value, err = value, e
			return
		}
	}
	defer r.release(context.WithoutCancel(ctx))
	r.began = time.Now()
	defer func() { r.ended(ctx, err) }()
	defer work.End()
	r.out.value, err = protect(ctx, fn, &r.load)
}

// ended follows the end of the load.
func (r *run[T]) ended(ctx context.Context, err error) {
	took := time.Since(r.began)
	r.place.leave()
	r.noteRefresh(err)
	s := r.c.store
	if f := s.cfg.Trace.Load; f != nil {
		f(r.c.cfg.Name, r.q.key, r.refresh, took, err)
	}
	if err == nil || errors.Is(err, ErrNotFound) {
		r.budget = s.cfg.Budget
		s.flights.Publish(r.fl, r.early(), err, false)
		r.store(context.WithoutCancel(ctx), err, took)
	}
}

// early is the result as it stands, for callers that do not wait for the store.
func (r *run[T]) early() *loaded[T] {
	out := r.out
	return &out
}

// exited is what callers get of a loader that never returned.
func exited() *PanicError {
	return &PanicError{Value: "the loader ended its goroutine (runtime.Goexit)", Stack: debug.Stack()}
}

// protect turns a panic into an error.
func protect[T any](ctx context.Context, fn loadFunc[T], l *Load[T]) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return fn(ctx, l)
}

func (r *run[T]) noteRefresh(err error) {
	s := r.c.store
	failed := err != nil && !errors.Is(err, ErrNotFound)
	if r.refresh {
		r.c.count(countRefreshes, 1)
		if failed {
			r.c.count(countFailed, 1)
			s.log.warn("refresh:"+r.c.cfg.Name, "cache refresh failed", "handle", r.c.cfg.Name, "error", err)
		}
	}
	if failed {
		s.backOff(r.q.entry)
	} else {
		s.failed.drop(r.q.entry)
	}
}
