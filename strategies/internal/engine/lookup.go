package engine

import (
	"context"
	"errors"

	"github.com/cldcde/restash/client"
)

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
	if err != nil && !errors.Is(err, errOff) && !errors.Is(err, errOpen) && !errors.Is(err, ErrQuotaNear) {
		l.c.count(CountErrors, 1)
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
	l.audit(ctx, items)
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
	if l.c.unaffordable() || l.o.Warm && l.c.sheds() {
		return nil, ErrQuotaNear
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
		l.c.count(CountCommandsSaved, 1)
		return shared, nil
	}
	it.status.Cost.add(s.cost)
	stats.reads.add(s.took)
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
	var spent Cost
	list, err := e.snapshots(ctx, l.budget(ctx), qs, &spent)
	items[0].status.Cost.add(spent)
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
	stats.reads.add(list[0].took)
	l.c.count(CountCommandsSaved, int64(len(items)-1))
	return shared, nil
}
