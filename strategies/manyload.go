package strategies

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/internal/flight"
)

// loadAll loads the items, sharing what other callers are loading.
func (b *batch[T]) loadAll(ctx context.Context, items []*item[T], read *flight.Read) error {
	if err := b.place(ctx, items, read); err != nil {
		b.giveUp(items, err)
		return err
	}
	leave, err := b.await(ctx, items)
	defer leave()
	if err != nil {
		return err
	}
	var own, again []*item[T]
	for _, it := range items {
		if it.ticket.Started {
			own = append(own, it)
		}
	}
	b.start(ctx, own, false)
	var errs []error
	for _, it := range items {
		outcome, err := b.wait(ctx, it)
		switch {
		case ctx.Err() != nil && err != nil:
			return ctx.Err()
		case outcome != flight.Shared || errors.Is(err, ErrNotFound) && !it.ticket.Started:
			// Another's load was too old, or has another idea of what exists.
			again = append(again, it)
		case err != nil && !errors.Is(err, ErrNotFound):
			errs = b.fallBack(it, err, errs)
		}
	}
	return join(append(errs, b.loadAgain(ctx, again))...)
}

// place gives each item its place at a load.
func (b *batch[T]) place(ctx context.Context, items []*item[T], read *flight.Read) error {
	s := b.c.store
	for _, it := range items {
		if err := s.within(ctx, it.q.entry); err != nil {
			return err
		}
	}
	var blind []*item[T]
	for _, it := range items {
		if it.a == nil && !b.o.force {
			blind = append(blind, it)
			continue
		}
		tokens := it.q.tokens
		if it.a != nil {
			tokens = it.a.tokens
		}
		it.ticket = s.flights.Join(it.q.entry, read, tokens, b.o.force)
	}
	return b.placeBlind(ctx, blind)
}

// placeBlind gives places to items without a snapshot.
func (b *batch[T]) placeBlind(ctx context.Context, items []*item[T]) error {
	if len(items) == 0 {
		return nil
	}
	wants := make([]flight.Want, len(items))
	for i, it := range items {
		wants[i] = flight.Want{Key: it.q.entry, Tokens: it.q.tokens}
	}
	tickets, err := b.c.store.joinBlind(ctx, wants, b.since)
	for i, k := range tickets {
		items[i].ticket = k
	}
	return err
}

// await notes that the caller waits for the items' loads, until leave is called.
// If one of them waits for the caller nothing is loaded.
func (b *batch[T]) await(ctx context.Context, items []*item[T]) (leave func(), err error) {
	var leaves []func()
	leave = func() {
		for _, l := range leaves {
			l()
		}
	}
	for _, it := range items {
		l, err := b.c.store.await(ctx, it.ticket)
		if err != nil {
			b.giveUp(items, err)
			return leave, err
		}
		leaves = append(leaves, l)
	}
	return leave, nil
}

// giveUp ends loads that will not be run: who has joined one loads by itself.
func (b *batch[T]) giveUp(items []*item[T], err error) {
	for _, it := range items {
		if it.ticket.Started && it.ticket.Load != nil {
			b.c.store.flights.Keep(it.ticket.Load)
			b.c.store.flights.Abandon(it.ticket.Load, err)
		}
	}
}

// fallBack serves a stale value instead of a load that failed, if there is one
// that may be.
func (b *batch[T]) fallBack(it *item[T], err error, errs []error) []error {
	if it.v.onError && it.old != nil && !b.warm {
		it.serve(Stale, ReasonLoadFailed)
		return errs
	}
	it.err = err
	for _, have := range errs {
		if have == err {
			return errs // one failed run of a loader is one error
		}
	}
	return append(errs, err)
}

func (b *batch[T]) loadAgain(ctx context.Context, items []*item[T]) error {
	var errs []error
	for _, it := range items {
		it.ticket = b.c.store.flights.Join(it.q.entry, nil, it.q.tokens, true)
		it.a = nil // its snapshot is older than the load
	}
	leave, err := b.await(ctx, items)
	defer leave()
	if err != nil {
		return err
	}
	b.start(ctx, items, false)
	for _, it := range items {
		if _, err := b.wait(ctx, it); err != nil && !errors.Is(err, ErrNotFound) {
			errs = b.fallBack(it, err, errs)
		}
	}
	return join(errs...)
}

// patience is how long a caller waits for the store of what was loaded; a
// warm-up waits for its end.
func (b *batch[T]) patience(ctx context.Context) func() time.Duration {
	if b.warm {
		return nil
	}
	return func() time.Duration { return b.c.store.share(ctx) }
}

func (b *batch[T]) wait(ctx context.Context, it *item[T]) (flight.Outcome, error) {
	result, outcome, err := b.c.store.flights.Wait(ctx, it.ticket, b.patience(ctx))
	if outcome != flight.Shared {
		return outcome, nil
	}
	if out, ok := result.(*loaded[T]); ok {
		it.status.Stored, it.status.Oversized, it.status.TTL = out.stored, out.oversized, out.ttl
		it.status.Err = errors.Join(it.status.Err, out.cacheErr)
		it.size = out.size
		if it.ticket.Started {
			b.status.Commands += out.cost.commands
			b.status.Trips += out.cost.trips
		}
		if err == nil {
			it.value, it.has = out.value, true
		}
	}
	it.status.Collapsed = !it.ticket.Started
	return outcome, err
}

// start runs the batch loader once for all items, detached from the caller.
func (b *batch[T]) start(ctx context.Context, items []*item[T], refresh bool) {
	if len(items) == 0 {
		return
	}
	for _, it := range items {
		it.run = &run[T]{c: b.c, q: it.q, fl: it.ticket.Load, snap: it.a, refresh: refresh, budget: b.budget(ctx)}
		if it.a != nil && !refresh && !b.warm {
			it.run.budget -= it.a.took
		}
		it.run.load = Load[T]{key: it.q.key, ttl: b.o.ttl, swr: b.o.swr, sie: b.o.sie}
	}
	hard := b.c.cfg.Advanced.HardTimeout
	lctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), hard, ErrLoadTimeout)
	stop := context.AfterFunc(lctx, func() {
		for _, it := range items {
			b.c.store.flights.Abandon(it.ticket.Load, ErrLoadTimeout)
		}
	})
	b.c.store.spawn(func() {
		defer cancel()
		defer stop()
		b.run(lctx, items)
	})
}

// run loads and stores; see [run.run] for why all that follows is deferred.
func (b *batch[T]) run(ctx context.Context, items []*item[T]) {
	s := b.c.store
	defer func() {
		for _, it := range items {
			b.c.stats.charge(it.run.out.cost, 0, it.run.out.size)
			s.flights.Finish(it.run.fl, &it.run.out, it.run.loadErr)
		}
	}()
	err := error(exited())
	for _, it := range items {
		it.run.loadErr = err
	}
	loads := make([]*flight.Load, len(items))
	for i, it := range items {
		loads[i] = it.run.fl
	}
	slot, e := s.acquire(ctx, loads...) // the batch has one place
	if e != nil {
		for _, it := range items {
			it.run.loadErr = e
		}
		return
	}
	ctx, work := s.begin(ctx, slot, loads...)
	defer slot.leave()
	if s.cfg.Strict {
		b.createTokens(ctx, items)
	}
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.q.key
	}
	began := time.Now()
	var values map[string]T
	defer func() {
		took := time.Since(began)
		work.End()
		slot.leave()
		b.ended(context.WithoutCancel(ctx), items, values, err, began, took)
	}()
	var l Load[map[string]T]
	values, err = protect(ctx, func(ctx context.Context, _ *Load[map[string]T]) (map[string]T, error) {
		return b.load(ctx, keys)
	}, &l)
}

// ended follows the end of the load.
func (b *batch[T]) ended(ctx context.Context, items []*item[T], values map[string]T, err error, began time.Time, took time.Duration) {
	for _, it := range items {
		it.run.outcome(values, it.q.key, err)
	}
	var sets []pendingSet[T]
	for _, it := range items {
		it.run.began = began
		it.run.budget = b.fullBudget()
		sets = b.settle(it, err, took, sets)
	}
	b.sendSets(ctx, sets)
}

// outcome notes what the batch's load says about one key.
func (r *run[T]) outcome(values map[string]T, key string, err error) {
	value, found := values[key]
	r.out.value, r.loadErr = value, nil
	switch {
	case !found && err != nil:
		r.loadErr = err
	case !found:
		r.loadErr = ErrNotFound
	}
}

// pendingSet is one entry that waits for its round trip.
type pendingSet[T any] struct {
	run  *run[T]
	set  cmd
	size int
	ttl  time.Duration
	gone bool // it removes an entry
}

// settle decides what becomes of one key of a batch.
func (b *batch[T]) settle(it *item[T], err error, took time.Duration, sets []pendingSet[T]) []pendingSet[T] {
	r, s := it.run, b.c.store
	found := r.loadErr == nil
	s.flights.Publish(r.fl, r.early(), r.loadErr, true)
	r.noteRefresh(r.loadErr)
	if f := s.cfg.Trace.Load; f != nil {
		f(b.c.cfg.Name, it.q.key, r.refresh, took, r.loadErr)
	}
	ttl := r.load.ttl
	if !found {
		ttl, r.load.swr, r.load.sie = b.c.cfg.Negative, 0, 0
	}
	if gone := !found && err == nil && ttl < time.Millisecond; gone {
		return b.removeOld(r, sets)
	}
	if r.snap == nil || ttl < time.Millisecond || !found && err != nil || !s.flights.Storable(r.fl) || s.bornTooLate(r.snap.tokens, r.began) {
		return sets
	}
	h := r.header(ttl, took, !found)
	set, err := b.c.set(it.q.entry, h, r.snap.tokens, r.out.value)
	if err != nil {
		r.unstorable(err)
		return b.removeOld(r, sets)
	}
	return append(sets, pendingSet[T]{run: r, set: set, size: len(set.Args()[2]), ttl: h.Fresh})
}

// removeOld adds the removal of an entry that nothing takes the place of.
func (b *batch[T]) removeOld(r *run[T], sets []pendingSet[T]) []pendingSet[T] {
	if remove, ok := r.removal(); ok {
		sets = append(sets, pendingSet[T]{run: r, set: remove, gone: true})
	}
	return sets
}

// sendSets stores entries, up to chunkBytes in one round trip.
func (b *batch[T]) sendSets(ctx context.Context, sets []pendingSet[T]) {
	s := b.c.store
	for len(sets) > 0 {
		n, size := 0, 0
		var cmds []cmd
		for n < len(sets) && n < chunkKeys && (n == 0 || size+sets[n].size <= chunkBytes) {
			size += sets[n].size
			cmds = append(cmds, sets[n].set)
			n++
		}
		part := sets[:n]
		sets = sets[n:]
		if !s.inTime(part[0].run.snap, b.c.cfg.Advanced.HardTimeout) {
			continue
		}
		began := time.Now()
		replies, spent, err := s.call(ctx, part[0].run.budget, cmds...)
		part[0].run.out.cost.add(spent)
		if took := time.Since(began); !b.warm {
			for _, p := range sets {
				p.run.budget -= took
			}
		}
		for i, p := range part {
			switch {
			case err != nil:
				p.run.failed(err)
			case replies[i].err != nil:
				p.run.failed(fmt.Errorf("strategies: store: %w", replies[i].err))
			case !p.gone:
				p.run.out.stored, p.run.out.ttl, p.run.out.size = true, p.ttl, p.size
			}
		}
	}
}

// createTokens creates the absent tokens of all items in one round trip.
func (b *batch[T]) createTokens(ctx context.Context, items []*item[T]) {
	s := b.c.store
	var all []flight.Token
	seen := map[string]int{}
	for _, it := range items {
		if it.run.snap == nil {
			continue
		}
		for _, t := range it.run.snap.tokens {
			if _, ok := seen[t.Key]; !ok {
				seen[t.Key] = len(all)
				all = append(all, t)
			}
		}
	}
	if len(all) == 0 {
		return
	}
	began := time.Now()
	fresh, spent, err := s.create(context.WithoutCancel(ctx), all, items[0].run.budget)
	items[0].run.out.cost.add(spent)
	took := time.Since(began)
	for _, it := range items {
		if !b.warm {
			it.run.budget -= took
		}
		if it.run.snap == nil {
			continue
		}
		if err != nil {
			it.run.failed(err)
			it.run.snap = nil
			continue
		}
		tokens := make([]flight.Token, len(it.run.snap.tokens))
		for i, t := range it.run.snap.tokens {
			t.Value = fresh[seen[t.Key]].Value
			tokens[i] = t
		}
		it.run.snap = it.run.snap.with(tokens)
		s.flights.Renew(it.run.fl, tokens)
	}
}

// refresh loads stale items anew through the executor. Where it makes callers
// wait, what arrives in time takes the stale value's place.
func (b *batch[T]) refresh(ctx context.Context, items []*item[T], read *flight.Read) {
	s := b.c.store
	wait := s.exec.Wait()
	var own []*item[T]
	full := false
	for _, it := range items {
		slow := wait > 0 && it.a.entry.LoadTime > wait
		if slow && !it.v.last {
			continue
		}
		if it.ticket = s.flights.Join(it.q.entry, read, it.a.tokens, false); it.ticket.Started {
			own = append(own, it)
			full = full || slow
		}
	}
	if len(own) == 0 {
		return
	}
	loads := make([]*flight.Load, len(own))
	for i, it := range own {
		loads[i] = it.ticket.Load
	}
	if !full {
		ctx = onItsOwn(ctx) // nobody waits for its end
	}
	taken := s.submit(loads, func() {
		b.start(ctx, own, true)
		for _, l := range loads {
			<-l.Done()
		}
	})
	if !taken || wait == 0 {
		return
	}
	waiting := ctx // the work has ctx itself
	if !full {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	for _, it := range own {
		b.takeFresh(waiting, it)
	}
}

func (b *batch[T]) takeFresh(ctx context.Context, it *item[T]) {
	leave, err := b.c.store.await(ctx, it.ticket)
	if err != nil {
		return
	}
	defer leave()
	result, _, err := b.c.store.flights.Wait(ctx, it.ticket, nil)
	if out, ok := result.(*loaded[T]); ok && err == nil {
		it.value = out.value
		it.status.State, it.status.Stored, it.status.TTL = Miss, out.stored, out.ttl
		b.status.Commands += out.cost.commands
		b.status.Trips += out.cost.trips
	}
}
