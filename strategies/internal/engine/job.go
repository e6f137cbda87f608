package engine

import (
	"context"
	"errors"
	"time"
)

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
	place        *place      // among MaxLoads
	hard         *time.Timer // ends the loads
	// whole says that one call of the loader answers for all jobs, so that their
	// store is all that is left; left, that the executor has it.
	whole, left bool
}

// job is the load of one key.
type job struct {
	query
	flight *load
	snap   *snapshot // nil: nothing is stored
	load   Load
	out    outcome
	// bodies are the encoded values, or unencoded says why there are none.
	bodies    [][]byte
	unencoded error
	lease     string // its token, while it is held
	// refused: its late tags keep it from being stored.
	refused bool
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

// publish hands a job's result out. all is false while its late tags are unread:
// then it is the starter's only.
func (r *run) publish(j *job, all bool) {
	out := j.out
	out.storing = r.left
	r.c.e.flights.Publish(j.flight, &out, j.load.Err, all)
}

func (r *run) finish() {
	r.hard.Stop()
	for _, j := range r.jobs {
		r.c.stats.charge(j.out.cost, 0, j.out.size)
		r.c.e.flights.Finish(j.flight, &j.out, j.load.Err)
	}
}

// unlessLeft does what ends a run, unless that is the executor's to do.
func (r *run) unlessLeft(end func()) {
	if !r.left {
		end()
	}
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

func (r *run) spent(c Cost, began time.Time) {
	r.jobs[0].out.cost.add(c)
	if !r.warm {
		r.budget -= time.Since(began)
	}
}

// failed notes that the cache was of no use to a job.
func (r *run) failed(j *job, err error) {
	j.out.cacheErr = err
	if !errors.Is(err, errOpen) {
		r.c.count(CountErrors, 1)
	}
}

func (j *job) negative() bool { return errors.Is(j.load.Err, ErrNotFound) }

func (j *job) failed() bool { return j.load.Err != nil && !j.negative() }

// giveUp ends loads that will not be run: who has joined one loads by itself.
func (e *Engine) giveUp(loads []*load, err error) {
	for _, fl := range loads {
		e.flights.Unshare(fl)
		e.flights.Abandon(fl, err)
	}
}

// inTime reports whether an entry may still be stored: the tokens of its
// snapshot are remembered for a limited time only. Wall clock, since a frozen
// process has no other.
func inTime(s *snapshot, hard time.Duration) bool {
	return time.Now().Round(0).Sub(s.at.Round(0)) <= hard
}
