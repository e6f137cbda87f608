package engine

import (
	"context"
	"errors"
	"time"
)

// outcome is what a load hands to those who wait for it.
type outcome struct {
	value     any
	stored    bool
	oversized bool
	ttl       time.Duration
	size      int  // of the stored entry, in bytes
	cost      cost // of the whole run, at its first load
	cacheErr  error
}

// run is one call of a loader under way.
type run struct {
	c    *Class
	load Loader
	jobs []*job
	// refresh says that stale values were there.
	refresh, warm bool
	// budget is what is left for the cache before the load, full what there is
	// behind it.
	budget, full time.Duration
	began        time.Time
	place        *place // among MaxLoads
}

// job is the load of one key.
type job struct {
	query
	flight *load
	snap   *snapshot // nil: nothing is stored
	load   Load
	out    outcome
	lease  string // its token, while it is held
	// refused: its late tags keep it from being stored.
	refused bool
}

// do loads and stores. Whatever follows a call into user code is deferred:
// such a call may panic, or end its goroutine as t.FailNow does.
func (r *run) do(ctx context.Context) {
	e := r.c.e
	r.failAll(r.jobs, e.cfg.Panicked(exited))
	defer r.finish()
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
	defer r.release(context.WithoutCancel(ctx))
	mine, others := r.takeLeases(ctx)
	r.loadAndStore(ctx, work, mine)
	r.release(context.WithoutCancel(ctx))
	r.loadAndStore(ctx, work, r.poll(ctx, others))
}

func (r *run) flights() []*load {
	list := make([]*load, len(r.jobs))
	for i, j := range r.jobs {
		list[i] = j.flight
	}
	return list
}

func (r *run) failAll(jobs []*job, err error) {
	for _, j := range jobs {
		j.load.Err = err
	}
}

func (r *run) finish() {
	for _, j := range r.jobs {
		r.c.stats.charge(j.out.cost, 0, j.out.size)
		r.c.e.flights.Finish(j.flight, &j.out, j.load.Err)
	}
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
		r.c.count(countRefreshes, 1)
	}
	if !failed {
		e.failed.drop(j.entry)
		return
	}
	if r.refresh {
		r.c.count(countFailed, 1)
		e.log.warn("refresh:"+r.c.cfg.Name, "cache refresh failed", "handle", r.c.cfg.Name, "error", j.load.Err)
	}
	e.backOff(j.entry)
}

// publish hands a job's result out; its store, if any, is still under way. all
// is false while its late tags are unread: then it is the starter's only.
func (r *run) publish(j *job, all bool) {
	out := j.out
	r.c.e.flights.Publish(j.flight, &out, j.load.Err, all)
}

// call sends commands within what is left of the budget. A warm-up's requests
// have a budget each.
func (r *run) call(ctx context.Context, cmds ...cmd) ([]reply, error) {
	began := time.Now()
	replies, spent, err := r.c.e.call(ctx, r.budget, cmds...)
	r.spent(spent, began)
	return replies, err
}

// set is call for commands that store entries, many of them in one command.
func (r *run) set(ctx context.Context, cmds []cmd, many bool) ([]reply, error) {
	if !many {
		return r.call(ctx, cmds...)
	}
	began := time.Now()
	replies, spent, err := r.c.e.setMany(ctx, r.budget, cmds)
	r.spent(spent, began)
	return replies, err
}

func (r *run) spent(c cost, began time.Time) {
	r.jobs[0].out.cost.add(c)
	if !r.warm {
		r.budget -= time.Since(began)
	}
}

// failed notes that the cache was of no use to a job.
func (r *run) failed(j *job, err error) {
	j.out.cacheErr = err
	if !errors.Is(err, errOpen) {
		r.c.count(countErrors, 1)
	}
}
