package engine

import (
	"context"
	"errors"
	"time"

	"github.com/cldcde/restash/internal/flight"
)

// loadMissing loads the items, sharing what other callers are loading, and
// returns those that must start over.
func (l *lookup) loadMissing(ctx context.Context, items []*item, shared *read) (again []*item) {
	leave, err := l.placeAll(ctx, items, shared)
	defer leave()
	if err != nil {
		l.fail(items, err)
		return nil
	}
	var own []*item
	for _, it := range items {
		if it.ticket.Started {
			own = append(own, it)
		}
	}
	if len(own) > 0 {
		l.start(ctx, own, false, l.o.Later != nil)
	}
	soft, cancel := l.soft(ctx)
	defer cancel()
	for _, it := range items {
		if !l.collect(ctx, soft, it) {
			again = append(again, it)
		}
	}
	return again
}

// soft bounds how long callers with a value to fall back on wait for a load.
func (l *lookup) soft(ctx context.Context) (context.Context, context.CancelFunc) {
	if patience := l.c.cfg.SoftTimeout; patience > 0 && l.o.Later == nil {
		return context.WithTimeout(ctx, patience)
	}
	return ctx, func() {}
}

// placeAll gives each item its place at a load, and notes that the caller waits
// for it until leave is called. It fails if a load waits for the caller.
func (l *lookup) placeAll(ctx context.Context, items []*item, shared *read) (leave func(), err error) {
	e := l.c.e
	var leaves []func()
	leave = func() {
		for _, f := range leaves {
			f()
		}
	}
	for _, it := range items {
		it.ticket = ticket{}
		if err := e.within(ctx, it.entry); err != nil {
			return leave, err
		}
	}
	if err := l.place(ctx, items, shared); err != nil {
		return leave, err
	}
	for _, it := range items {
		f, err := e.await(ctx, it.ticket)
		if err != nil {
			return leave, err
		}
		leaves = append(leaves, f)
	}
	return leave, nil
}

func (l *lookup) place(ctx context.Context, items []*item, shared *read) error {
	e := l.c.e
	var blind []*item
	for _, it := range items {
		switch {
		case it.snap != nil:
			it.ticket = e.flights.Join(it.entry, shared, it.snap.tokens, it.alone)
		case it.alone:
			it.ticket = e.flights.Join(it.entry, nil, it.tokens, true)
		default:
			blind = append(blind, it)
		}
	}
	if len(blind) == 0 {
		return nil
	}
	wants := make([]flight.Want, len(blind))
	for i, it := range blind {
		wants[i] = flight.Want{Key: it.entry, Tokens: it.tokens}
	}
	tickets, err := e.joinBlind(ctx, wants, l.since)
	for i, t := range tickets {
		blind[i].ticket = t
	}
	return err
}

// fail ends items whose loads will not be run.
func (l *lookup) fail(items []*item, err error) {
	for _, it := range items {
		it.err = err
		if it.ticket.Started {
			l.c.e.giveUp([]*load{it.ticket.Load}, err)
		}
	}
}

// collect waits for an item's load. It reports false if the item must start over.
func (l *lookup) collect(ctx, soft context.Context, it *item) bool {
	wait := ctx
	switch {
	case it.ticket.Started && l.o.Later != nil:
		wait = context.WithoutCancel(ctx) // the load is over, and its value is the caller's
	case it.fallsBack():
		wait = soft
	}
	out, outcome, err := l.c.e.flights.Wait(wait, it.ticket, l.patience(ctx))
	missed := errors.Is(err, ErrNotFound)
	switch {
	case outcome == flight.Again:
		return false
	case outcome == flight.Private, missed && l.o.Complete && !it.ticket.Started:
		it.alone = true
		return false
	case err != nil && !missed && it.fallsBack() && ctx.Err() == nil:
		it.serve(Stale, ReasonLoadFailed)
		return true
	}
	if !l.own(it, &out, err) {
		it.alone = true
		return false
	}
	it.status.Collapsed = !it.ticket.Started
	it.take(out, err)
	return true
}

// own makes the value the caller's own, where Copy asks for that. It reports false
// if it cannot be copied: then the item loads by itself.
func (l *lookup) own(it *item, out **outcome, err error) bool {
	if !l.c.cfg.Copy || it.ticket.Started || err != nil {
		return true
	}
	value, err := l.c.copied((*out).body)
	copied := **out
	copied.value = value
	*out = &copied
	return err == nil
}

// patience is how long a caller waits for the store of what was loaded; a
// warm-up waits for its end.
func (l *lookup) patience(ctx context.Context) func() time.Duration {
	if l.o.Warm {
		return nil
	}
	return func() time.Duration { return l.c.e.share(ctx) }
}

// start runs the loader for the items, without its caller's cancellation, in a
// goroutine of its own or here. One that runs here keeps its caller's deadline.
func (l *lookup) start(ctx context.Context, items []*item, refreshing, here bool) {
	e := l.c.e
	r := l.run(ctx, items, refreshing)
	lctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	if deadline, has := ctx.Deadline(); here && has {
		var end context.CancelFunc
		lctx, end = context.WithDeadline(lctx, deadline)
		defer end()
	}
	hard := time.AfterFunc(l.c.cfg.HardTimeout, func() {
		cancel(ErrLoadTimeout)
		for _, j := range r.jobs {
			e.flights.Abandon(j.flight, ErrLoadTimeout)
		}
	})
	for _, j := range r.jobs {
		j.load.Unshare = func() {
			if hard.Stop() {
				context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
			}
			e.flights.Unshare(j.flight)
			r.place.leave() // a stream may take hours
		}
	}
	r.hard = hard
	work := func() {
		defer cancel(nil)
		r.do(lctx)
	}
	if here {
		e.loads.Here(work)
		return
	}
	e.loads.Go(work)
}

// run is a run for items whose loads this call has begun. What the call has
// spent on the cache is not there for the store; a refresh and a warm-up have
// budgets of their own.
func (l *lookup) run(ctx context.Context, items []*item, refreshing bool) *run {
	r := &run{c: l.c, load: l.load, refresh: refreshing, warm: l.o.Warm, budget: l.fullBudget(), full: l.fullBudget()}
	if !refreshing && !l.o.Warm {
		r.budget = l.c.e.share(ctx) - time.Since(l.began)
	}
	r.jobs = make([]*job, len(items))
	for i, it := range items {
		j := &job{query: it.query, flight: it.ticket.Load, snap: it.snap}
		j.load = Load{
			Key: it.key, Old: it.old, Refresh: refreshing,
			TTL: l.o.TTL, StaleWhileRevalidate: l.o.StaleWhileRevalidate, StaleIfError: l.o.StaleIfError,
		}
		if it.old != nil && l.c.cfg.Copy {
			j.load.Old, _ = l.c.decode(it.snap) // the caller may be served the other
		}
		if it.old != nil {
			j.load.StoredAt = it.snap.entry.Stored
		}
		r.jobs[i] = j
	}
	return r
}
