package engine

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"time"
)

// auditWait is how long an invalidation that is under way while an audit finds a
// difference has to become visible.
const auditWait = time.Second

// audit asks the loader about a hit, behind its answer.
type audit struct {
	c     *Class
	load  Loader
	o     Options
	query query
	snap  *snapshot
}

// audit chooses one hit in Config.Audit among the items.
func (l *lookup) audit(ctx context.Context, items []*item) {
	e := l.c.e
	if e.cfg.Audit == 0 || l.o.Uncounted || l.o.Warm {
		return
	}
	for _, it := range items {
		hit := it.status.State == Hit && it.has
		if hit && rand.IntN(e.cfg.Audit) == 0 && !e.laggedBehind(it.snap) && !l.c.sheds() {
			l.auditOne(ctx, it)
		}
	}
}

// auditOne sees to the audit of a hit. Where the executor's callers wait, or the
// caller runs its loads itself, one that is expected to take longer than they may
// wait is left out.
func (l *lookup) auditOne(ctx context.Context, it *item) {
	e := l.c.e
	a := &audit{c: l.c, load: l.load, o: *l.o, query: it.query, snap: it.snap}
	wait := e.exec.Wait()
	most := wait
	if l.o.Later != nil && wait == 0 {
		most = e.cfg.InlineBudget
	}
	switch {
	case most > 0 && it.snap.entry.LoadTime > most:
	case l.o.Later != nil:
		*l.o.Later = Refresh{exec: e.exec, most: most, run: a.run}
	default:
		a.submit(ctx, wait)
	}
}

// laggedBehind reports whether the loader's database may still be older than the
// entry: then a difference says nothing.
func (e *Engine) laggedBehind(s *snapshot) bool {
	return e.cfg.SourceLag > 0 && time.Since(s.entry.Stored) < e.cfg.SourceLag+clockSkew
}

// submit has the executor run the audit, and waits for it where callers do.
func (a *audit) submit(ctx context.Context, wait time.Duration) {
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	taken := a.c.e.offer(func() {
		defer close(done)
		a.run(ctx)
	})
	if !taken || wait == 0 {
		return
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
}

// run loads the value and compares. What differs is looked at once more when
// what was under way has ended.
func (a *audit) run(ctx context.Context) {
	now, ok := a.loaded(ctx)
	if !ok {
		return
	}
	same, err := a.c.same(a.snap, now)
	switch {
	case err != nil:
	case same:
		a.c.count(CountAudited, 1)
	default:
		age := time.Since(a.snap.entry.Stored)
		a.c.e.offer(func() { a.settle(context.WithoutCancel(ctx), age) })
	}
}

// loaded is what the loader says now. There is no answer if no place among
// MaxLoads is free, if it failed, and for what it would not store.
func (a *audit) loaded(ctx context.Context) (value any, ok bool) {
	p := &place{slots: a.c.e.slots}
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
		default:
			return nil, false
		}
	}
	defer p.leave()
	ctx, cancel := context.WithTimeout(ctx, a.c.cfg.HardTimeout)
	defer cancel()
	ctx = context.WithValue(ctx, doingKey{}, doing{engine: a.c.e, place: p})
	l := &Load{
		Key: a.query.key, Refresh: true, Unshare: func() {}, Err: errNoOutcome,
		TTL: a.o.TTL, StaleWhileRevalidate: a.o.StaleWhileRevalidate, StaleIfError: a.o.StaleIfError,
	}
	a.call(ctx, l)
	if l.Err != nil || l.NoStore || l.TTL < time.Millisecond {
		return nil, false
	}
	if l.Variant != nil && a.o.Variant == "" {
		return l.Variant.Base, true
	}
	return l.Value, true
}

// errNoOutcome is the outcome of a loader that did not return.
var errNoOutcome = errors.New("strategies: the loader did not return")

func (a *audit) call(ctx context.Context, l *Load) {
	defer func() {
		if p := recover(); p != nil {
			l.Err = a.c.e.cfg.Panicked(p)
		}
	}()
	a.load(ctx, []*Load{l})
}

// same reports whether the entry and the value say the same.
func (c *Class) same(s *snapshot, value any) (bool, error) {
	was, err := c.decode(s)
	if err != nil {
		return false, err
	}
	if c.cfg.Equal != nil {
		return c.equal(was, value)
	}
	body, err := c.encode(value)
	if err != nil {
		return false, err
	}
	if stored, err := s.entry.Body(c.e.cfg.Compression); err == nil && bytes.Equal(stored, body) {
		return true, nil
	}
	is, err := c.cfg.Codec.Decode(body)
	return reflect.DeepEqual(was, is), err
}

func (c *Class) equal(was, is any) (same bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = c.e.cfg.Panicked(p)
		}
	}()
	return c.cfg.Equal(was, is), nil
}

// settle reads the tokens again, and counts a finding if none has changed.
func (a *audit) settle(ctx context.Context, age time.Duration) {
	c, e := a.c, a.c.e
	time.Sleep(auditWait)
	var spent Cost
	hard, soft := e.pending.replaced(a.snap.tokens)
	values, err := e.mget(ctx, e.cfg.Budget, appendKeys(nil, a.snap.tokens), &spent)
	c.stats.charge(spent, 0, 0)
	if err != nil {
		return
	}
	c.count(CountAudited, 1)
	if hard || soft {
		return
	}
	for i, t := range a.snap.tokens {
		if string(values[i].Bytes) != t.Value {
			return
		}
	}
	c.count(CountOutdated, 1)
	c.count(CountOutdatedAge, int64(age))
	e.log.warn("outdated:"+c.cfg.Name, "a hit was outdated: what changed was not invalidated", "handle", c.cfg.Name, "age", age)
	if trace := e.cfg.Trace.Outdated; trace != nil {
		trace(c.cfg.Name, a.query.key, age)
	}
}
