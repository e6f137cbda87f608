package engine

import (
	"context"
	"errors"
	"time"
)

// do loads and stores. Whatever follows a call into user code is deferred:
// such a call may panic, or end its goroutine as t.FailNow does.
func (r *run) do(ctx context.Context) {
	e := r.c.e
	r.failAll(r.jobs, e.cfg.Panicked(exited))
	defer r.unlessLeft(r.finish)
	var err error
	if r.place, err = e.acquire(ctx, r.flights()...); err != nil {
		r.failAll(r.jobs, err)
		return
	}
	ctx, work := e.begin(ctx, r.place, r.flights()...)
	defer work.End()
	defer r.place.leave()
	if e.cfg.Strict {
		r.createTokens(ctx)
	}
	release := func() { r.release(context.WithoutCancel(ctx)) }
	defer r.unlessLeft(release)
	mine, others := r.takeLeases(ctx)
	r.whole = len(others) == 0
	r.loadAndStore(ctx, work, mine)
	if r.whole {
		return
	}
	release()
	r.loadAndStore(ctx, work, r.poll(ctx, others))
}

// loadAndStore calls the loader once for the jobs.
func (r *run) loadAndStore(ctx context.Context, w *work, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	loads := make([]*Load, len(jobs))
	for i, j := range jobs {
		loads[i] = &j.load
	}
	r.began = time.Now()
	defer func() {
		took := time.Since(r.began)
		w.End()
		r.place.leave()
		r.ended(context.WithoutCancel(ctx), jobs, took)
	}()
	if err := r.protect(ctx, loads); err != nil {
		r.failAll(jobs, err)
	}
}

// protect turns a panic into an error.
func (r *run) protect(ctx context.Context, loads []*Load) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.c.e.cfg.Panicked(p)
		}
	}()
	r.load(ctx, loads)
	return nil
}

// ended follows the end of the loader.
func (r *run) ended(ctx context.Context, jobs []*job, took time.Duration) {
	r.c.stats.loads.add(took)
	r.c.e.counters.loads.add(took)
	trace := r.c.e.cfg.Trace.Load
	for _, j := range jobs {
		j.out.value = j.load.Value
		r.note(j)
		if trace != nil {
			trace(r.c.cfg.Name, j.key, r.refresh, took, j.load.Err)
		}
	}
	r.budget = r.full
	r.store(ctx, jobs, took)
}

// note counts a refresh, and remembers a failure for a while.
func (r *run) note(j *job) {
	e := r.c.e
	failed := j.load.Err != nil && !errors.Is(j.load.Err, ErrNotFound)
	if r.refresh {
		r.c.count(CountRefreshes, 1)
	}
	if !failed {
		e.failed.drop(j.entry)
		return
	}
	if r.refresh {
		r.c.count(CountRefreshesFailed, 1)
		e.log.warn("refresh:"+r.c.cfg.Name, "cache refresh failed", "handle", r.c.cfg.Name, "error", j.load.Err)
	}
	e.backOff(j.entry)
}
