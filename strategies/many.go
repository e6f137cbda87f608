package strategies

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/internal/flight"
)

// Sizes of batches: at most chunkKeys keys, or so many that chunkBytes are
// expected, in one command.
const (
	chunkKeys  = 1000
	chunkBytes = 4 << 20
	warmKeys   = 500
)

// GetMany returns the values of keys, those that the cache lacks from one run
// of load, which it stores. A key that load does not return does not exist and
// is not in the result. With an error of load the result holds what there is,
// and what came is stored. Keys that are being loaded elsewhere in the process
// are waited for.
//
// A batch of n keys of which m are missing costs 1 + m billed commands in two
// round trips, per 1,000 keys or 4 MiB.
func (c *Cache[T]) GetMany(ctx context.Context, keys []string, load BatchLoader[T], opts ...Option) (map[string]T, error) {
	if load == nil {
		return nil, errNoLoader
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b := newBatch(c, load, opts)
	result := make(map[string]T, len(keys))
	err := b.each(ctx, distinct(keys), chunkKeys, func(items []*item[T]) {
		for _, it := range items {
			if it.has {
				result[it.q.key] = it.value
			}
		}
	})
	return result, err
}

func distinct(keys []string) []string {
	seen := make(map[string]bool, len(keys))
	list := make([]string, 0, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			list = append(list, k)
		}
	}
	return list
}

// batch is one call for many keys.
type batch[T any] struct {
	c      *Cache[T]
	o      options
	load   BatchLoader[T]
	status *Status
	own    Status
	warm   bool   // stale values are loaded, not served
	merged bool   // status holds an item's
	since  uint64 // when it began, in the order of reads and loads
}

// item is one key of a batch.
type item[T any] struct {
	q      query
	a      *answer
	v      verdict
	old    *T
	ticket flight.Ticket
	run    *run[T]

	value  T
	has    bool
	err    error
	size   int // of the entry that was stored
	status Status
	wrong  error // its tags: the value is loaded and not stored
}

func newBatch[T any](c *Cache[T], load BatchLoader[T], opts []Option) *batch[T] {
	b := &batch[T]{c: c, o: c.options(opts), load: load, since: c.store.flights.Now()}
	b.status = &b.own
	if b.o.status != nil {
		b.status = b.o.status
	}
	b.status.State = Hit
	return b
}

// each works through keys in chunks and hands each chunk's items to take.
func (b *batch[T]) each(ctx context.Context, keys []string, most int, take func([]*item[T])) error {
	var errs error
	for len(keys) > 0 {
		n := min(len(keys), most, b.c.stats.expected(chunkBytes))
		items, err := b.chunk(ctx, keys[:n])
		if errors.Is(err, client.ErrTooLarge) && n > 1 {
			most = n / 2
			continue
		}
		keys = keys[n:]
		for _, it := range items {
			b.merge(it)
		}
		take(items)
		errs = join(errs, err)
		if b.warm && err != nil && !errors.Is(err, ErrTags) {
			return errs // the cache is out of reach: load nothing more
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errs
}

// merge adds an item's status to that of the call, and counts it.
func (b *batch[T]) merge(it *item[T]) {
	if !b.warm && !b.o.uncounted {
		b.c.answered(it.status.State, it.status.Reason == ReasonNegative)
	}
	if it.status.Collapsed {
		b.c.count(countCoalesced, 1)
	}
	st := b.status
	was, is := worse(st.State), worse(it.status.State)
	first := !b.merged
	b.merged = true
	if is > was || is == was && (first || it.status.TTL < st.TTL) {
		st.State, st.Reason, st.StoredAt, st.TTL = it.status.State, it.status.Reason, it.status.StoredAt, it.status.TTL
	}
	st.Stored = st.Stored || it.status.Stored
	st.Collapsed = st.Collapsed || it.status.Collapsed
	st.Oversized = st.Oversized || it.status.Oversized
	st.Err = errors.Join(st.Err, it.status.Err)
	if trace := b.c.store.cfg.Trace.Answer; trace != nil {
		trace(b.c.cfg.Name, it.q.key, it.status, 0)
	}
}

func worse(s State) int {
	return map[State]int{Hit: 0, Stale: 1, Miss: 2, Bypass: 3}[s]
}

func (b *batch[T]) chunk(ctx context.Context, keys []string) ([]*item[T], error) {
	items := make([]*item[T], len(keys))
	for i, k := range keys {
		q, err := b.c.query(k, &b.o)
		if err != nil && b.warm {
			return nil, err
		}
		items[i] = &item[T]{q: q, wrong: err}
	}
	read, err := b.read(ctx, slices.DeleteFunc(slices.Clone(items), func(it *item[T]) bool { return it.wrong != nil }))
	if errors.Is(err, client.ErrTooLarge) && len(items) > 1 {
		return nil, err
	}
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && b.warm {
		return nil, err
	}
	todo, refresh := b.sort(items, read, err)
	b.refresh(ctx, refresh, read)
	err = b.loadAll(ctx, todo, read)
	if b.warm {
		err = ctx.Err() // the items have their own
	}
	return items, err
}

// read asks for all entries and tokens in one command.
func (b *batch[T]) read(ctx context.Context, items []*item[T]) (*flight.Read, error) {
	s := b.c.store
	if s.off() || len(items) == 0 {
		return nil, errOff
	}
	entries := make([]string, len(items))
	for i, it := range items {
		entries[i] = it.q.entry
	}
	read := s.flights.Begin(entries)
	defer s.flights.End(read, entries)
	var spent cost
	answers, err := s.readMany(ctx, b.budget(ctx), queries(items), &spent)
	b.status.Commands += spent.commands
	b.status.Trips += spent.trips
	if err != nil {
		return nil, err
	}
	bytes := 0
	for i, it := range items {
		it.a = answers[i]
		bytes += len(it.a.data)
		b.c.stats.expect(len(it.a.data))
	}
	b.c.stats.charge(spent, bytes, 0)
	b.c.count(countSaved, int64(len(items)-1))
	b.c.stats.latency.add(items[0].a.took)
	return read, nil
}

// warmBudget is how long one request of a warm-up may take: no caller waits for
// it, and a batch may be large.
const warmBudget = 30 * time.Second

// budget is how long one request of the batch may take before its load, and
// fullBudget behind it.
func (b *batch[T]) budget(ctx context.Context) time.Duration {
	if b.warm {
		return b.fullBudget()
	}
	return b.c.store.share(ctx)
}

func (b *batch[T]) fullBudget() time.Duration {
	if b.warm {
		return max(warmBudget, b.c.store.cfg.Budget)
	}
	return b.c.store.cfg.Budget
}

var errOff = errors.New("strategies: the cache is off")

func queries[T any](items []*item[T]) []query {
	qs := make([]query, len(items))
	for i, it := range items {
		qs[i] = it.q
	}
	return qs
}

// sort answers what the entries can and returns what must be loaded and what
// should be refreshed.
func (b *batch[T]) sort(items []*item[T], read *flight.Read, failed error) (todo, refresh []*item[T]) {
	s := b.c.store
	for _, it := range items {
		if read == nil || it.wrong != nil {
			it.unread(cmp.Or(it.wrong, failed))
			todo = append(todo, it)
			continue
		}
		b.judge(it)
		if b.o.force {
			it.v.onError = it.v.onError && it.v.state == Miss
		}
		switch {
		case it.status.Reason == ReasonNegative:
		case b.o.force || it.v.state == Miss || b.warm && it.v.state == Stale:
			if it.old != nil && it.v.onError && !b.warm && !b.o.force && s.backingOff(it.q.entry) {
				it.serve(Stale, ReasonLoadFailed)
				continue
			}
			todo = append(todo, it)
		case it.v.state == Stale:
			it.serve(Stale, it.v.reason)
			if !s.backingOff(it.q.entry) && !s.flights.Busy(it.q.entry, read, it.a.tokens) {
				refresh = append(refresh, it)
			}
		default:
			it.serve(Hit, "")
		}
	}
	if failed != nil && !errors.Is(failed, errOff) && !errors.Is(failed, errOpen) {
		b.c.count(countErrors, 1)
	}
	return todo, refresh
}

func (it *item[T]) unread(err error) {
	st := &it.status
	switch {
	case errors.Is(err, ErrTags):
		st.State, st.Reason, st.Err = Bypass, ReasonTags, err
	case errors.Is(err, errOff):
		st.State, st.Reason = Bypass, ReasonDisabled
	case errors.Is(err, errOpen):
		st.State, st.Reason, st.Err = Bypass, ReasonBreaker, err
	default:
		st.State, st.Reason, st.Err = Miss, ReasonError, err
	}
}

func (b *batch[T]) judge(it *item[T]) {
	it.v = b.c.store.judge(it.a, time.Now())
	it.status.Reason = it.v.reason
	if !it.v.old {
		if it.v.reason == ReasonUndecodable {
			b.c.count(countErrors, 1)
		}
		return
	}
	value, err := b.c.decode(it.a)
	switch {
	case errors.Is(err, ErrNotFound):
		it.status.State = Miss
		if it.v.state == Hit && !b.o.force {
			it.status.State, it.status.Reason = Hit, ReasonNegative
		}
		it.v.state, it.v.onError = Miss, false
	case err != nil:
		it.v = verdict{reason: ReasonUndecodable}
		it.status.Reason = ReasonUndecodable
		b.c.count(countErrors, 1)
	default:
		it.old = &value
	}
}

func (it *item[T]) serve(state State, reason string) {
	it.value, it.has = *it.old, true
	st := &it.status
	st.State, st.Reason, st.StoredAt, st.TTL = state, reason, it.a.entry.Stored, it.v.left
}
