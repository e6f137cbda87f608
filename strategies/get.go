package strategies

import (
	"context"
	"errors"
	"time"

	"github.com/cldcde/restash/internal/flight"
)

// Get returns the value of key, from the cache or from load, whose value it
// stores. Callers of one key share reads and loads. It fails only with what
// load returned, [ErrNotFound] if that is remembered, ctx's error if ctx ends
// first, a [PanicError], [ErrLoadTimeout] or [ErrCircle]; never because of the
// cache. With wrong tags the value is loaded and not stored, see [ErrTags].
//
// A hit costs one billed command and one round trip, a miss two.
func (c *Cache[T]) Get(ctx context.Context, key string, load Loader[T], opts ...Option) (T, error) {
	if load == nil {
		var zero T
		return zero, errNoLoader
	}
	if err := ctx.Err(); err != nil {
		var zero T
		return zero, err
	}
	o := c.options(opts)
	if v, ok := c.fromLocal(key, &o); ok {
		return v, nil
	}
	return c.fetch(ctx, key, func(ctx context.Context, _ *Load[T]) (T, error) { return load(ctx, key) }, o)
}

// Fetch is [Cache.Get] with a loader that can look at the old value and decide
// how its result is stored.
func (c *Cache[T]) Fetch(ctx context.Context, key string, load func(ctx context.Context, l *Load[T]) (T, error), opts ...Option) (T, error) {
	var zero T
	if load == nil {
		return zero, errNoLoader
	}
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	o := c.options(opts)
	if v, ok := c.fromLocal(key, &o); ok {
		return v, nil
	}
	return c.fetch(ctx, key, load, o)
}

// fetch answers from Redis or from the loader.
func (c *Cache[T]) fetch(ctx context.Context, key string, load loadFunc[T], o options) (T, error) {
	f := &fetch[T]{c: c, o: o, load: load, began: time.Now(), since: c.store.flights.Now()}
	f.status = &f.own
	if f.o.status != nil {
		f.status = f.o.status
	}
	f.q, f.wrong = c.query(key, &f.o)
	value, err := f.do(ctx)
	f.count(err)
	return value, err
}

// fetch is one call of [Cache.Fetch].
type fetch[T any] struct {
	c      *Cache[T]
	o      options
	q      query
	load   loadFunc[T]
	status *Status
	own    Status
	began  time.Time
	since  uint64 // began, in the order of reads and loads
	alone  bool   // do not share a load
	wrong  error  // its tags: the value is loaded and not stored
}

// maxAgain bounds how often a caller starts over because the load it shared
// was too old for it; then it loads by itself.
const maxAgain = 2

func (f *fetch[T]) do(ctx context.Context) (T, error) {
	f.alone = f.o.force
	for again := 0; ; again++ {
		f.alone = f.alone || again >= maxAgain
		value, outcome, err := f.once(ctx)
		switch outcome {
		case flight.Shared:
			return value, err
		case flight.Private:
			f.alone = true
		}
	}
}

func (f *fetch[T]) once(ctx context.Context) (T, flight.Outcome, error) {
	s := f.c.store
	if s.off() {
		return f.bypass(ctx, ReasonDisabled, nil)
	}
	if f.wrong != nil {
		return f.bypass(ctx, ReasonTags, f.wrong)
	}
	read, err := s.flights.Read(ctx, f.q.entry, f.q.tokens, s.share(ctx))
	if err != nil {
		if ctx.Err() != nil {
			var zero T
			return zero, flight.Shared, ctx.Err()
		}
		return f.bypass(ctx, unreadReason(err), err)
	}
	result, _ := read.Result()
	a := result.(*answer)
	f.pay(a)
	return f.judged(ctx, read, a)
}

// pay notes what the read cost, for the first of its callers.
func (f *fetch[T]) pay(a *answer) {
	if a.claim() {
		f.status.Commands += a.cost.commands
		f.status.Trips += a.cost.trips
		f.c.stats.latency.add(a.took)
		f.c.stats.charge(a.cost, len(a.data), 0)
		return
	}
	f.c.count(countSaved, 1)
}

// judged answers from the entry if it may, and loads otherwise.
func (f *fetch[T]) judged(ctx context.Context, read *flight.Read, a *answer) (T, flight.Outcome, error) {
	v := f.c.store.judge(a, time.Now())
	var old *T
	if v.old {
		value, err := f.c.decode(a)
		switch {
		case errors.Is(err, ErrNotFound):
			if v.state == Hit && !f.o.force {
				f.served(Hit, ReasonNegative, a, v)
				return value, flight.Shared, ErrNotFound
			}
			v.state, v.onError = Miss, false
		case err != nil:
			v = verdict{reason: ReasonUndecodable}
		default:
			old = &value
		}
	}
	if v.reason == ReasonUndecodable {
		f.c.count(countErrors, 1)
	}
	if f.o.force {
		v = verdict{reason: ReasonForced, old: v.old, onError: v.onError && v.state == Miss}
	}
	switch {
	case v.state == Hit:
		f.keepLocal(a, *old)
		f.served(Hit, "", a, v)
		return *old, flight.Shared, nil
	case v.state == Stale:
		return f.stale(ctx, read, a, v, *old)
	case v.onError && !f.o.force && f.c.store.backingOff(f.q.entry):
		f.served(Stale, ReasonLoadFailed, a, v)
		return *old, flight.Shared, nil
	}
	return f.miss(ctx, read, a, v, old)
}

func (f *fetch[T]) served(state State, reason string, a *answer, v verdict) {
	st := f.status
	st.State, st.Reason, st.StoredAt, st.TTL = state, reason, a.entry.Stored, v.left
}

// miss loads, or shares a load.
func (f *fetch[T]) miss(ctx context.Context, read *flight.Read, a *answer, v verdict, old *T) (T, flight.Outcome, error) {
	var fallback *T
	if v.onError {
		fallback = old
	}
	value, outcome, err := f.join(ctx, read, a, old, fallback, f.c.cfg.Advanced.SoftTimeout)
	if errors.Is(err, errFallback) {
		f.served(Stale, ReasonLoadFailed, a, v)
		return *fallback, flight.Shared, nil
	}
	f.status.State, f.status.Reason = Miss, v.reason
	return value, outcome, err
}

// bypass loads without a snapshot: what comes is not stored.
func (f *fetch[T]) bypass(ctx context.Context, reason string, cause error) (T, flight.Outcome, error) {
	f.status.State, f.status.Reason, f.status.Err = Bypass, reason, cause
	if reason == ReasonError {
		f.status.State = Miss
		f.c.count(countErrors, 1)
	}
	return f.join(ctx, nil, nil, nil, nil, 0)
}

// errFallback says that a stale value must do.
var errFallback = errors.New("strategies: stale value instead of a load")

// join waits for a load that this caller may share, which it starts if there
// is none. If there is a fallback it gives up on a failed load, and after
// patience if that is not 0, with errFallback.
func (f *fetch[T]) join(ctx context.Context, read *flight.Read, a *answer, old, fallback *T, patience time.Duration) (T, flight.Outcome, error) {
	var zero T
	s := f.c.store
	k, err := f.place(ctx, read, a)
	if err != nil {
		return zero, flight.Shared, err
	}
	leave, err := s.await(ctx, k)
	if err != nil {
		return zero, flight.Shared, err
	}
	defer leave()
	if k.Started {
		f.c.start(ctx, k.Load, f.newRun(ctx, k.Load, a, old, false), f.load, f.o.later != nil)
	}
	wait := ctx
	if k.Started && f.o.later != nil {
		wait = context.WithoutCancel(ctx) // the load is over, and its value is the caller's
	}
	if fallback != nil && patience > 0 && f.o.later == nil {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	result, outcome, err := s.flights.Wait(wait, k, func() time.Duration { return s.share(ctx) })
	if outcome != flight.Shared {
		return zero, outcome, nil
	}
	if err != nil && ctx.Err() == nil && fallback != nil && !errors.Is(err, ErrNotFound) {
		return zero, flight.Shared, errFallback
	}
	if !k.Started {
		f.status.Collapsed = true
	}
	return f.result(result, k.Started, err)
}

// place is this call's place at a load.
func (f *fetch[T]) place(ctx context.Context, read *flight.Read, a *answer) (flight.Ticket, error) {
	s := f.c.store
	if err := s.within(ctx, f.q.entry); err != nil {
		return flight.Ticket{}, err
	}
	if read != nil {
		return s.flights.Join(f.q.entry, read, a.tokens, f.alone), nil
	}
	if f.alone {
		return s.flights.Join(f.q.entry, nil, f.q.tokens, true), nil
	}
	k, err := s.joinBlind(ctx, []flight.Want{{Key: f.q.entry, Tokens: f.q.tokens}}, f.since)
	if err != nil {
		return flight.Ticket{}, err
	}
	return k[0], nil
}

// joinBlind gives callers without a snapshot their places.
func (s *Store) joinBlind(ctx context.Context, wants []flight.Want, since uint64) ([]flight.Ticket, error) {
	tickets, err := s.flights.JoinBlind(ctx, wants, flight.Blind{Since: since, Patience: s.share(ctx), Work: doingOf(ctx).work})
	if circle, ok := errors.AsType[flight.Circle](err); ok {
		return nil, circleError(circle)
	}
	return tickets, err
}

// newRun is a load for this call. What the call has spent on the cache is not
// there for the load's store; a refresh has a budget of its own.
func (f *fetch[T]) newRun(ctx context.Context, fl *flight.Load, a *answer, old *T, refresh bool) *run[T] {
	s := f.c.store
	r := &run[T]{c: f.c, q: f.q, fl: fl, snap: a, refresh: refresh, budget: s.cfg.Budget}
	if !refresh {
		r.budget = s.share(ctx) - time.Since(f.began)
	}
	r.load = Load[T]{key: f.q.key, ttl: f.o.ttl, swr: f.o.swr, sie: f.o.sie, refresh: refresh}
	if old != nil {
		r.load.old, r.load.hasOld, r.load.storedAt = *old, true, a.entry.Stored
	}
	return r
}

func (f *fetch[T]) result(result any, started bool, err error) (T, flight.Outcome, error) {
	var zero T
	out, ok := result.(*loaded[T])
	if !ok {
		return zero, flight.Shared, err
	}
	st := f.status
	st.Stored, st.Oversized, st.TTL = out.stored, out.oversized, out.ttl
	if out.cacheErr != nil {
		st.Err = out.cacheErr
	}
	if started {
		st.Commands += out.cost.commands
		st.Trips += out.cost.trips
	}
	if err != nil {
		return zero, flight.Shared, err
	}
	return out.value, flight.Shared, nil
}

// stale serves a stale value and sees to its refresh.
func (f *fetch[T]) stale(ctx context.Context, read *flight.Read, a *answer, v verdict, old T) (T, flight.Outcome, error) {
	s := f.c.store
	if f.o.later != nil {
		f.leave(read, a, v, old)
		f.served(Stale, v.reason, a, v)
		return old, flight.Shared, nil
	}
	wait := s.exec.Wait()
	switch {
	case s.backingOff(f.q.entry) || s.flights.Busy(f.q.entry, read, a.tokens):
	case wait == 0:
		f.refresh(onItsOwn(ctx), read, a, old)
	case a.entry.LoadTime <= wait:
		if value, ok := f.await(onItsOwn(ctx), f.refresh(onItsOwn(ctx), read, a, old), wait, v); ok {
			return value, flight.Shared, nil
		}
	case v.last:
		patience := f.c.cfg.Advanced.SoftTimeout
		if value, ok := f.await(ctx, f.refresh(ctx, read, a, old), patience, v); ok {
			return value, flight.Shared, nil
		}
	}
	if err := ctx.Err(); err != nil {
		var zero T
		return zero, flight.Shared, err
	}
	f.served(Stale, v.reason, a, v)
	return old, flight.Shared, nil
}

// refresh loads a stale value anew through the executor, if that takes the
// work and nobody else has begun.
func (f *fetch[T]) refresh(ctx context.Context, read *flight.Read, a *answer, old T) *flight.Ticket {
	s := f.c.store
	k := s.flights.Join(f.q.entry, read, a.tokens, false)
	if !k.Started {
		return nil
	}
	taken := s.submit([]*flight.Load{k.Load}, func() {
		f.c.start(ctx, k.Load, f.newRun(ctx, k.Load, a, &old, true), f.load, false)
		<-k.Load.Done()
	})
	if !taken {
		return nil
	}
	return &k
}

// await takes the fresh value if the refresh brings it in time; patience 0
// waits for its end.
func (f *fetch[T]) await(ctx context.Context, k *flight.Ticket, patience time.Duration, v verdict) (T, bool) {
	var zero T
	if k == nil {
		return zero, false
	}
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	leave, err := f.c.store.await(ctx, *k)
	if err != nil {
		return zero, false
	}
	defer leave()
	result, _, err := f.c.store.flights.Wait(ctx, *k, nil)
	if err != nil || result == nil {
		return zero, false
	}
	value, _, err := f.result(result, true, nil)
	f.status.State, f.status.Reason = Miss, v.reason
	return value, err == nil
}

// count notes how the call ended.
func (f *fetch[T]) count(err error) {
	st := f.status
	if st.State != Hit && st.State != Stale && errors.Is(err, context.Canceled) {
		return // the caller left without an answer
	}
	if !f.o.uncounted {
		f.c.answered(st.State, st.Reason == ReasonNegative)
	}
	if st.Collapsed {
		f.c.count(countCoalesced, 1)
	}
	if trace := f.c.store.cfg.Trace.Answer; trace != nil {
		trace(f.c.cfg.Name, f.q.key, *st, time.Since(f.began))
	}
}
