package strategies

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

var errOpen = breaker.ErrOpen

// Load is one run of a loader given to [Cache.Fetch]. It is not safe for
// concurrent use and ends with the loader.
type Load[T any] struct {
	key      string
	old      T
	hasOld   bool
	storedAt time.Time

	ttl, swr, sie time.Duration
	tags          []string
	notModified   bool
	noStore       bool
	refresh       bool
	variant       *variantStore[T]
	release       func()
}

type variantStore[T any] struct {
	name string
	base T
}

// Key returns the key that is loaded.
func (l *Load[T]) Key() string { return l.key }

// Old returns the value that the cache still has for the key and that no
// invalidation has hit, however old it is.
func (l *Load[T]) Old() (T, bool) { return l.old, l.hasOld }

// StoredAt is when the old value was stored, by the clock of the instance that
// did; zero if there is none.
func (l *Load[T]) StoredAt() time.Time { return l.storedAt }

// Refresh reports whether the load renews a stale value that its caller may be
// served in the meantime.
func (l *Load[T]) Refresh() bool { return l.refresh }

// SetTTL replaces the TTL of this value. 0 or less does not store it. What
// exceeds [MaxExpiry] is cut.
func (l *Load[T]) SetTTL(d time.Duration) { l.ttl = d }

// SetStaleWhileRevalidate replaces the value's window for being served while
// it is refreshed.
func (l *Load[T]) SetStaleWhileRevalidate(d time.Duration) { l.swr = max(d, 0) }

// SetStaleIfError replaces the value's window for being served on errors.
func (l *Load[T]) SetStaleIfError(d time.Duration) { l.sie = max(d, 0) }

// AddTags adds tags that only the load has found out. Unless the process has
// seen them with this key before, that costs one more command, and the value is
// stored only if none of them was invalidated since the load began.
func (l *Load[T]) AddTags(names ...string) { l.tags = append(l.tags, names...) }

// NotModified says that the old value still holds: it is stored again with a
// new TTL. Its results are meant to be returned; without an old value they are
// an error.
func (l *Load[T]) NotModified() (T, error) {
	if !l.hasOld {
		return l.old, errors.New("strategies: NotModified without an old value")
	}
	l.notModified = true
	return l.old, nil
}

// NotFound says that the value does not exist. Its results are meant to be
// returned.
func (l *Load[T]) NotFound() (T, error) {
	var zero T
	return zero, ErrNotFound
}

// DoNotStore keeps the value out of the cache. Callers that wait for the load
// still get it.
func (l *Load[T]) DoNotStore() { l.noStore = true }

// DoNotShare keeps the value for the caller that started this load: it is not
// stored, and callers that wait for it load for themselves, at once. The load
// is from now on bound by that caller's context, not by the hard timeout.
func (l *Load[T]) DoNotShare() {
	l.noStore = true
	l.release()
}

// StoreVariant stores the value as a [Variant] of the key, and base, which says
// how to find variants, as the key's own entry, in the same round trip.
func (l *Load[T]) StoreVariant(name string, base T) {
	l.variant = &variantStore[T]{name: name, base: base}
}

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
	// held gives a lease back while holds is true.
	held  cmd
	holds bool
	// loadErr is the error of a batch's load for this key.
	loadErr error
}

// start runs the loader detached from its caller.
func (c *Cache[T]) start(ctx context.Context, fl *flight.Load, r *run[T], fn loadFunc[T]) {
	lctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	hard := time.AfterFunc(c.cfg.Advanced.HardTimeout, func() {
		cancel(ErrLoadTimeout)
		c.store.flights.Abandon(fl, ErrLoadTimeout)
	})
	r.load.release = func() {
		if hard.Stop() {
			context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
		}
		c.store.flights.Keep(fl)
	}
	c.store.spawn(func() {
		defer cancel(nil)
		defer hard.Stop()
		r.run(lctx, fn)
	})
}

func (r *run[T]) run(ctx context.Context, fn loadFunc[T]) {
	s := r.c.store
	if err := s.acquire(ctx); err != nil {
		s.flights.Finish(r.fl, nil, err)
		return
	}
	if r.snap != nil && s.cfg.Strict {
		r.createTokens(ctx)
	}
	if !r.refresh {
		if value, found := r.lease(ctx); found {
			s.releaseSlot()
			r.out.value = value
			s.flights.Finish(r.fl, &r.out, nil)
			return
		}
	}
	r.began = time.Now()
	value, err := protect(ctx, fn, &r.load)
	took := time.Since(r.began)
	s.releaseSlot()
	if f := s.cfg.Trace.Load; f != nil {
		f(r.c.cfg.Name, r.q.key, r.refresh, took, err)
	}
	r.out.value = value
	r.noteRefresh(err)
	if err == nil || errors.Is(err, ErrNotFound) {
		r.store(context.WithoutCancel(ctx), err != nil, took)
	}
	r.release(context.WithoutCancel(ctx))
	s.flights.Finish(r.fl, &r.out, err)
}

func protect[T any](ctx context.Context, fn loadFunc[T], l *Load[T]) (value T, err error) {
	finished := false
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		} else if !finished {
			err = &PanicError{Value: "the loader ended its goroutine (runtime.Goexit)", Stack: debug.Stack()}
		}
	}()
	value, err = fn(ctx, l)
	finished = true
	return value, err
}

// acquire waits for a place among MaxLoads.
func (s *Store) acquire(ctx context.Context) error {
	if s.slots == nil {
		return nil
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) releaseSlot() {
	if s.slots != nil {
		<-s.slots
	}
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

// store puts the result into Redis if it may.
func (r *run[T]) store(ctx context.Context, negative bool, took time.Duration) {
	s := r.c.store
	ttl := r.load.ttl
	if negative {
		ttl = r.c.cfg.Negative
		r.load.swr, r.load.sie = 0, 0
	}
	if r.snap == nil || r.load.noStore || ttl < time.Millisecond {
		return
	}
	if !r.late(ctx) || !s.flights.Storable(r.fl) || s.bornTooLate(r.snap.tokens, r.began) {
		return
	}
	h := r.header(ttl, took, negative)
	sets, err := r.sets(h)
	if err != nil {
		r.unstorable(err)
		return
	}
	if !s.inTime(r.snap, r.c.cfg.Advanced.HardTimeout) {
		return
	}
	own := len(sets)
	if r.holds {
		sets = append(sets, r.held)
		r.holds = false
	}
	replies, err := r.call(ctx, sets...)
	if err == nil {
		err = firstError(replies[:own])
	}
	if err != nil {
		r.failed(err)
		return
	}
	r.out.stored, r.out.ttl = true, h.Fresh
}

// call sends commands within what is left of the budget.
func (r *run[T]) call(ctx context.Context, cmds ...cmd) ([]reply, error) {
	began := time.Now()
	replies, spent, err := r.c.store.call(ctx, r.budget, cmds...)
	r.budget -= time.Since(began)
	r.out.cost.add(spent)
	return replies, err
}

func firstError(replies []reply) error {
	for _, r := range replies {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

func (r *run[T]) failed(err error) {
	r.out.cacheErr = err
	if !errors.Is(err, errOpen) {
		r.c.count(countErrors, 1)
	}
}

// unstorable notes a value that cannot become an entry.
func (r *run[T]) unstorable(err error) {
	if !errors.Is(err, errOversized) {
		r.failed(err)
		return
	}
	r.out.oversized = true
	r.c.count(countOversized, 1)
	r.c.store.log.warn("oversized:"+r.c.cfg.Name, "value too big for the cache", "handle", r.c.cfg.Name, "error", err)
}

// inTime reports whether an entry may still be stored: the tokens of its
// snapshot are remembered for a limited time only. Wall clock, since a frozen
// process has no other.
func (s *Store) inTime(a *answer, hard time.Duration) bool {
	return time.Now().Round(0).Sub(a.at.Round(0)) <= hard
}

// bornTooLate reports whether a token of the snapshot is so young that the
// database the loader read may not have had the change it stands for.
func (s *Store) bornTooLate(tokens []flight.Token, began time.Time) bool {
	if s.cfg.SourceLag == 0 {
		return false
	}
	return youngerThan(tokens, began.Add(-s.cfg.SourceLag-clockSkew))
}

// clockSkew is by how much the clocks of instances may differ.
const clockSkew = 2 * time.Second

func youngerThan(tokens []flight.Token, limit time.Time) bool {
	for _, t := range tokens {
		if t.Value == "" {
			continue
		}
		if born, ok := keyspace.Token(t.Value).Born(); !ok || !born.Before(limit) {
			return true
		}
	}
	return false
}

// late reads the tokens of tags that the load has added and reports whether
// the value may be stored.
func (r *run[T]) late(ctx context.Context) bool {
	s := r.c.store
	var late []flight.Token
	for _, t := range r.load.tags {
		if t != "" && !r.snap.knows("t"+t) {
			late = s.appendTag(late, t)
		}
	}
	if len(late) == 0 {
		return true
	}
	if countTags(r.snap.tokens)+countTags(late) > MaxTags {
		r.failed(fmt.Errorf("%w: more than %d", ErrTags, MaxTags))
		s.flights.Late(r.fl, late, true)
		return false
	}
	began := time.Now()
	values, err := s.mget(ctx, r.budget, appendKeys(nil, late), &r.out.cost)
	r.budget -= time.Since(began)
	if err != nil {
		s.flights.Late(r.fl, late, true)
		r.failed(err)
		return false
	}
	late = withValues(late, values)
	refuse := youngerThan(late, r.began.Add(-clockSkew-s.cfg.SourceLag))
	if s.cfg.Strict && r.createLate(ctx, late) {
		refuse = true
	}
	storable := s.flights.Late(r.fl, late, refuse)
	r.snap = r.snap.with(append(r.snap.tokens[:len(r.snap.tokens):len(r.snap.tokens)], late...))
	s.learn(r.q.entry, r.load.tags)
	return storable
}

func countTags(tokens []flight.Token) int {
	n := 0
	for _, t := range tokens {
		if t.ID[0] == 't' {
			n++
		}
	}
	return n
}

func (r *run[T]) header(ttl, took time.Duration, negative bool) entry.Header {
	ttl = min(ttl, MaxExpiry)
	if j := r.c.cfg.Advanced.Jitter; j > 0 {
		ttl -= time.Duration(rand.Float64() * j * float64(ttl))
	}
	return entry.Header{
		Stored: time.Now(), Fresh: max(ttl, time.Millisecond),
		StaleWhileRevalidate: min(r.load.swr, MaxExpiry-ttl), StaleIfError: min(r.load.sie, MaxExpiry-ttl),
		LoadTime: took, Negative: negative,
	}
}

var errOversized = errors.New("strategies: entry over the size limit")

// sets are the commands that store the result.
func (r *run[T]) sets(h entry.Header) ([]cmd, error) {
	tokens := r.snap.tokens
	if r.load.variant == nil || h.Negative {
		set, err := r.c.set(r.q.entry, h, tokens, r.out.value)
		return []cmd{set}, err
	}
	v := r.load.variant
	base := r.c.store.space.Entry(r.c.cfg.Name, r.c.fp, r.q.key)
	first, err := r.c.set(base, h, tokens, v.base)
	if err != nil {
		return nil, err
	}
	second, err := r.c.set(variantEntry(base, v.name), h, tokens, r.out.value)
	return []cmd{first, second}, err
}

// set is the command that stores one entry, until its last stale window ends.
func (c *Cache[T]) set(key string, h entry.Header, tokens []flight.Token, value T) (cmd, error) {
	var body []byte
	if !h.Negative {
		var err error
		if body, err = c.cfg.Advanced.Codec.Encode(nil, value); err != nil {
			return cmd{}, fmt.Errorf("strategies: encode %s: %w", c.cfg.Name, err)
		}
	}
	data, err := entry.Append(nil, h, marks(tokens), body, c.cfg.Advanced.GzipFrom)
	if err != nil {
		return cmd{}, err
	}
	if limit := c.store.valueLimit(); len(data) > limit {
		return cmd{}, fmt.Errorf("%w: %d bytes, the limit is %d", errOversized, len(data), limit)
	}
	return setPX(key, string(data), h.Fresh+max(h.StaleWhileRevalidate, h.StaleIfError)), nil
}

func marks(tokens []flight.Token) []entry.Mark {
	list := make([]entry.Mark, len(tokens))
	for i, t := range tokens {
		list[i] = entry.Mark{ID: t.ID, Token: t.Value}
	}
	return list
}

func (s *Store) valueLimit() int {
	if n := s.c.Limits().Value; n > 0 {
		return n
	}
	return defaultValueLimit
}

const defaultValueLimit = 512 << 10

// decode returns the value of an entry.
func (c *Cache[T]) decode(a *answer) (T, error) {
	var v T
	if a.entry.Negative {
		return v, ErrNotFound
	}
	body, err := a.entry.Body()
	if err != nil {
		return v, err
	}
	err = c.cfg.Advanced.Codec.Decode(body, &v)
	return v, err
}
