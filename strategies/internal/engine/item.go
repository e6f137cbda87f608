package engine

import (
	"cmp"
	"context"
	"errors"
	"time"
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
	only   item // of a lookup for one key
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

// judged decides, and decodes the value that is needed for it.
func (c *Class) judged(s *snapshot, r rules) (decision, any) {
	d := decide(s, time.Now(), r)
	if s.data != nil && !s.parsed {
		c.count(CountErrors, 1)
	}
	if !d.valid {
		return d, nil
	}
	value, err := c.decode(s)
	if err == nil {
		return d, value
	}
	c.count(CountErrors, 1)
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
	case errors.Is(err, ErrQuotaNear):
		st.Reason, st.Err = ReasonQuota, nil
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
		if st.State == Miss {
			l.c.stats.missed.add(it.key)
		}
	}
	if st.Collapsed {
		l.c.count(CountCoalesced, 1)
	}
	if trace := l.c.e.cfg.Trace.Answer; trace != nil {
		trace(l.c.cfg.Name, it.key, *st, time.Since(l.began))
	}
}

// take takes what a load has brought.
func (it *item) take(out *outcome, err error) {
	it.err = err
	if out == nil {
		return
	}
	st := &it.status
	st.Stored, st.Storing, st.Oversized, st.TTL = out.stored, out.storing, out.oversized, out.ttl
	if out.cacheErr != nil {
		st.Err = out.cacheErr
	}
	if it.ticket.Started {
		it.status.Cost.add(out.cost)
	}
	it.size = out.size
	if err == nil {
		it.value, it.has = out.value, true
	}
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
		l.c.keepLocal(it.key, l.o, it.snap, it.old)
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
