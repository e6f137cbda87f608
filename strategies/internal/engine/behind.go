package engine

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// The store of a miss is bytes, nothing of a caller's: where work may go on behind
// an answer, the executor sends it, and a miss waits for one round trip alone. The
// load can be joined until its store has ended, so that who reads before that
// does not load again.

// handOut publishes the results and gives what is left to do to the executor, if
// it takes it. It publishes also if that does not come back.
func (r *run) handOut(jobs, late []*job, parcels []parcel, left func()) (behind bool) {
	early := make([]outcome, len(jobs))
	for i, j := range jobs {
		early[i] = j.out // from here on j.out is left's
	}
	defer func() {
		for i, j := range jobs {
			early[i].storing = early[i].storing && r.left
			r.c.e.flights.Publish(j.flight, &early[i], j.load.Err, !slices.Contains(late, j))
		}
	}()
	if len(late)+len(parcels) == 0 || !r.whole || r.refresh || r.warm || r.c.e.exec.Wait() > 0 {
		return false
	}
	for i, j := range jobs {
		for _, p := range parcels {
			if p.job == j && !p.gone {
				early[i].storing, early[i].ttl = true, p.ttl
			}
		}
		early[i].storing = early[i].storing || slices.Contains(late, j)
	}
	return r.leave(left)
}

// leave offers what is left of the run to the executor.
func (r *run) leave(left func()) (taken bool) {
	e := r.c.e
	r.behind(true)
	store := e.stores.begin()
	r.hard.Stop()
	var begun atomic.Bool // by the executor, by this run, or by its time being over
	dropped := time.AfterFunc(r.c.cfg.HardTimeout, func() {
		if begun.CompareAndSwap(false, true) {
			e.stores.end(store)
			r.finish()
		}
	})
	r.left = true
	taken = e.offer(func() {
		if !begun.CompareAndSwap(false, true) {
			return
		}
		dropped.Stop()
		defer e.stores.end(store)
		defer r.finish()
		defer r.release(context.Background())
		left()
	})
	if taken || !begun.CompareAndSwap(false, true) {
		return true
	}
	dropped.Stop()
	e.stores.end(store)
	r.left = false
	r.behind(false)
	return false
}

func (r *run) behind(on bool) {
	for _, j := range r.jobs {
		r.c.e.flights.Behind(j.flight, on)
	}
}

// offer gives work to the executor. One that panics has not taken it.
func (e *Engine) offer(work func()) (taken bool) {
	defer func() {
		if recover() != nil {
			taken = false
		}
	}()
	return e.exec.Submit(work)
}
