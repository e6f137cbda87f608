package engine

import (
	"context"
	"time"
)

// refresh loads stale items anew through the executor, one loader for all that
// nobody else is loading. Where its callers wait, what arrives in time takes the
// stale value's place.
func (l *lookup) refresh(ctx context.Context, items []*item, shared *read) {
	if l.o.Later != nil {
		l.leave(items, shared)
		return
	}
	due, full := l.due(items, shared, l.c.e.exec.Wait())
	l.submit(ctx, l.join(due, shared), full)
	if err := ctx.Err(); err != nil {
		for _, it := range items {
			it.value, it.has, it.err = nil, false, err
		}
	}
}

// due are the items whose refresh may begin: no other is under way, none has
// failed lately, and it is expected to take no more than wait, except in the
// last quarter of the window: then a load in full is due. wait 0 is no bound.
func (l *lookup) due(items []*item, shared *read, wait time.Duration) (due []*item, full bool) {
	e := l.c.e
	for _, it := range items {
		slow := wait > 0 && it.snap.entry.LoadTime > wait
		if (slow || l.c.cfg.Expendable && l.c.sheds()) && !it.d.last || e.backingOff(it.entry) || e.flights.Busy(it.entry, shared, it.snap.tokens) {
			continue
		}
		due = append(due, it)
		full = full || slow
	}
	return due, full
}

// join begins loads of the items and returns those that nobody else has begun.
func (l *lookup) join(items []*item, shared *read) (own []*item) {
	for _, it := range items {
		if it.ticket = l.c.e.flights.Join(it.entry, shared, it.snap.tokens, false); it.ticket.Started {
			own = append(own, it)
		}
	}
	return own
}

// submit hands the items' loads to the executor.
func (l *lookup) submit(ctx context.Context, own []*item, full bool) {
	e := l.c.e
	if len(own) == 0 {
		return
	}
	loads := make([]*load, len(own))
	for i, it := range own {
		loads[i] = it.ticket.Load
	}
	working := ctx
	if !full {
		working = onItsOwn(ctx) // nobody waits for its end
	}
	taken := e.submit(loads, func() {
		l.start(working, own, true, false)
		for _, fl := range loads {
			<-fl.Done()
		}
	})
	if wait := e.exec.Wait(); taken && wait > 0 {
		l.takeFresh(working, own, full, wait)
	}
}

// submit gives the work of loads to the executor. If that does not take it, or
// does not come back, who joined one of them loads by itself.
func (e *Engine) submit(loads []*load, work func()) (taken bool) {
	defer func() {
		if !taken {
			e.giveUp(loads, errRefused)
		}
	}()
	return e.exec.Submit(work)
}

// takeFresh waits for what the loads bring.
func (l *lookup) takeFresh(ctx context.Context, own []*item, full bool, wait time.Duration) {
	if full {
		wait = l.c.cfg.SoftTimeout
	}
	if wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	for _, it := range own {
		l.takeOne(ctx, it)
	}
}

func (l *lookup) takeOne(ctx context.Context, it *item) {
	leave, err := l.c.e.await(ctx, it.ticket)
	if err != nil {
		return
	}
	defer leave()
	out, _, err := l.c.e.flights.Wait(ctx, it.ticket, nil)
	if err != nil || out == nil {
		return
	}
	it.status.State = Miss
	it.take(out, nil)
}

// leave puts the refresh of stale items into o.Later, if one is to be done.
func (l *lookup) leave(items []*item, shared *read) {
	e := l.c.e
	*l.o.Later = Refresh{}
	most := e.cfg.InlineBudget
	if wait := e.exec.Wait(); wait > 0 {
		most = wait
	}
	due, _ := l.due(items, shared, most)
	if len(due) == 0 {
		return
	}
	for _, it := range due {
		if it.d.last {
			most = 0
		}
	}
	*l.o.Later = Refresh{exec: e.exec, most: most, run: func(ctx context.Context) {
		ctx = onItsOwn(ctx)
		if own := l.join(due, shared); len(own) > 0 {
			l.start(ctx, own, true, true)
		}
	}}
}
