package engine

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/cldcde/restash/client"
)

// lookup is one call for n keys.
type lookup struct {
	c      *Class
	o      *Options
	load   Loader
	began  time.Time
	since  uint64 // began, in the order of reads and loads
	status Status
	first  bool // status holds no item's yet
}

// item is one key of a lookup.
type item struct {
	query
	snap   *snapshot // nil: it could not be read
	d      decision
	old    any // the entry's value, if it may be used
	ticket ticket
	alone  bool // does not share a load

	value  any
	has    bool
	err    error
	size   int // of the entry that was stored
	status Status
}

func (c *Class) lookup(load Loader, o *Options) *lookup {
	return &lookup{c: c, o: o, load: load, first: true, began: time.Now(), since: c.e.flights.Now()}
}

// Get returns the value of one key, and how it came about. Its caller has asked
// [Class.Local].
func (c *Class) Get(ctx context.Context, key string, load Loader, o *Options) (any, Status, error) {
	l := c.lookup(load, o)
	it := &item{query: c.query(key, o)}
	if err := l.answer(ctx, []*item{it}); err != nil {
		it.err = err
	}
	l.merge(it)
	return it.value, l.status, it.err
}

// maxAgain bounds how often a caller starts over because the load it shared
// was too old for it; then it loads by itself.
const maxAgain = 2

// answer fills in the items. An error means that none could be.
func (l *lookup) answer(ctx context.Context, items []*item) error {
	for again := 0; len(items) > 0; again++ {
		var err error
		if items, err = l.round(ctx, items, again >= maxAgain); err != nil {
			return err
		}
	}
	return nil
}

// noteFailure counts a read that failed, but for those that were not tried.
func (l *lookup) noteFailure(err error) {
	if err != nil && !errors.Is(err, errOff) && !errors.Is(err, errOpen) {
		l.c.count(countErrors, 1)
	}
}

// round reads the items, answers what it can and returns those whose load was
// too old for them, or another's.
func (l *lookup) round(ctx context.Context, items []*item, alone bool) (again []*item, err error) {
	shared, err := l.read(ctx, items)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && (l.o.Warm || len(items) > 1 && errors.Is(err, client.ErrTooLarge)):
		return nil, err
	}
	l.noteFailure(err)
	var missing, stale []*item
	for _, it := range items {
		it.alone = it.alone || alone || l.o.Force
		switch l.decide(it, err) {
		case loadIt:
			missing = append(missing, it)
		case refresh:
			stale = append(stale, it)
		}
	}
	if len(stale) > 0 {
		l.refresh(ctx, stale, shared)
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return l.loadMissing(ctx, missing, shared), nil
}

// read takes the items' snapshots. Callers of one key share a read.
func (l *lookup) read(ctx context.Context, items []*item) (*read, error) {
	e := l.c.e
	if e.off() {
		return nil, errOff
	}
	asked := make([]*item, 0, len(items))
	for _, it := range items {
		it.snap = nil
		if it.wrong == nil {
			asked = append(asked, it)
		}
	}
	switch {
	case len(asked) == 0:
		return nil, nil
	case len(asked) == 1 && !l.o.Warm:
		return l.readOne(ctx, asked[0])
	}
	return l.readMany(ctx, asked)
}

func (l *lookup) readOne(ctx context.Context, it *item) (*read, error) {
	e, stats := l.c.e, l.c.stats
	shared, err := e.flights.Read(ctx, it.entry, it.tokens, e.share(ctx))
	if err != nil {
		return nil, err
	}
	s, _ := shared.Result()
	it.snap = s
	if !s.claim() {
		l.c.count(countSaved, 1)
		return shared, nil
	}
	it.pay(s.cost)
	stats.latency.add(s.took)
	stats.charge(s.cost, len(s.data), 0)
	stats.expect(len(s.data))
	return shared, nil
}

func (l *lookup) readMany(ctx context.Context, items []*item) (*read, error) {
	e, stats := l.c.e, l.c.stats
	entries, qs := make([]string, len(items)), make([]query, len(items))
	for i, it := range items {
		entries[i], qs[i] = it.entry, it.query
	}
	shared := e.flights.Begin(entries)
	defer e.flights.End(shared, entries)
	var spent cost
	list, err := e.snapshots(ctx, l.budget(ctx), qs, &spent)
	items[0].pay(spent)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for i, it := range items {
		it.snap = list[i]
		bytes += len(it.snap.data)
		stats.expect(len(it.snap.data))
	}
	stats.charge(spent, bytes, 0)
	stats.latency.add(list[0].took)
	l.c.count(countSaved, int64(len(items)-1))
	return shared, nil
}

func (it *item) pay(c cost) {
	it.status.Commands += c.commands
	it.status.Trips += c.trips
}

// warmBudget is how long one request of a warm-up may take: no caller waits for
// it, and a batch may be large.
const warmBudget = 30 * time.Second

// budget is how long a request before a load may take, and fullBudget one
// behind it.
func (l *lookup) budget(ctx context.Context) time.Duration {
	if l.o.Warm {
		return l.fullBudget()
	}
	return l.c.e.share(ctx)
}

func (l *lookup) fullBudget() time.Duration {
	if l.o.Warm {
		return max(warmBudget, l.c.e.cfg.Budget)
	}
	return l.c.e.cfg.Budget
}

// decide answers the item if its entry can. failed is why there was no read.
func (l *lookup) decide(it *item, failed error) act {
	if it.snap == nil {
		it.unread(cmp.Or(it.wrong, failed))
		return loadIt
	}
	it.d, it.old = l.c.judged(it.snap, rules{strict: l.c.e.cfg.Strict, soft: l.c.e.cfg.Soft, force: l.o.Force, warm: l.o.Warm})
	switch {
	case it.d.act == serve && it.d.negative:
		it.serve(Hit, ReasonNegative)
		it.has, it.err = false, ErrNotFound
	case it.d.act == serve:
		l.keepLocal(it)
		it.serve(Hit, "")
	case it.d.act == refresh:
		it.serve(Stale, it.d.reason)
	case it.fallsBack() && !l.o.Force && l.c.e.backingOff(it.entry):
		it.serve(Stale, ReasonLoadFailed)
		return serve
	default:
		it.status.State, it.status.Reason = Miss, it.d.reason
	}
	return it.d.act
}

// judged decides, and decodes the value that is needed for it.
func (c *Class) judged(s *snapshot, r rules) (decision, any) {
	d := decide(s, time.Now(), r)
	if s.data != nil && !s.parsed {
		c.count(countErrors, 1)
	}
	if !d.valid {
		return d, nil
	}
	value, err := c.decode(s)
	if err == nil {
		return d, value
	}
	c.count(countErrors, 1)
	c.say("decode", "entry not served: it cannot be decoded", err)
	d = decision{reason: ReasonUndecodable}
	if r.force {
		d.reason = ReasonForced
	}
	return d, nil
}

// unread says why an item has no snapshot.
func (it *item) unread(err error) {
	st := &it.status
	it.d, it.old = decision{}, nil
	st.State, st.Err = Bypass, err
	switch {
	case errors.Is(err, ErrTags):
		st.Reason = ReasonTags
	case errors.Is(err, errOff):
		st.Reason, st.Err = ReasonDisabled, nil
	case errors.Is(err, errOpen):
		st.Reason = ReasonBreaker
	default:
		st.State, st.Reason = Miss, ReasonError
	}
}

// fallsBack reports whether the old value may be served if the load fails.
func (it *item) fallsBack() bool { return it.d.onError && it.old != nil }

// serve answers with the entry.
func (it *item) serve(state State, reason string) {
	it.value, it.has = it.old, true
	st := &it.status
	st.State, st.Reason, st.StoredAt, st.TTL = state, reason, it.snap.entry.Stored, it.d.left
}

func (l *lookup) merged(st *Status) {
	l.status.merge(st, l.first)
	l.first = false
}

// merge adds an item's status to that of the call, and counts it.
func (l *lookup) merge(it *item) {
	st := &it.status
	l.merged(st)
	if st.State != Hit && st.State != Stale && errors.Is(it.err, context.Canceled) {
		return // the caller left without an answer
	}
	if !l.o.Uncounted && !l.o.Warm {
		l.c.answered(st.State, st.Reason == ReasonNegative)
	}
	if st.Collapsed {
		l.c.count(countCoalesced, 1)
	}
	if trace := l.c.e.cfg.Trace.Answer; trace != nil {
		trace(l.c.cfg.Name, it.key, *st, time.Since(l.began))
	}
}
