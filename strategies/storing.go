package strategies

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// store puts the result into Redis if it may.
func (r *run[T]) store(ctx context.Context, loadErr error, took time.Duration) {
	s, negative := r.c.store, loadErr != nil
	ttl := r.load.ttl
	if negative {
		ttl = r.c.cfg.Negative
		r.load.swr, r.load.sie = 0, 0
	}
	if r.snap == nil || r.load.noStore || ttl < time.Millisecond {
		r.leaveOut(ctx, negative)
		return
	}
	if !r.late(ctx) || !s.flights.Storable(r.fl) || s.bornTooLate(r.snap.tokens, r.began) {
		return
	}
	h := r.header(ttl, took, negative)
	sets, err := r.sets(h)
	if err != nil {
		r.unstorable(err)
		r.removeOld(ctx)
		return
	}
	if !s.inTime(r.snap, r.c.cfg.Advanced.HardTimeout) {
		return
	}
	s.flights.Publish(r.fl, r.early(), loadErr, true)
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
	for _, set := range sets[:own] {
		r.out.size += len(set.Args()[2])
	}
}

// leaveOut is for a result that is not to be stored.
func (r *run[T]) leaveOut(ctx context.Context, negative bool) {
	r.unread()
	if negative && !r.load.noStore {
		r.removeOld(ctx)
	}
}

// removeOld removes the entry that was valid before a load whose result cannot
// take its place: else every reader would be served that, and load.
func (r *run[T]) removeOld(ctx context.Context) {
	remove, ok := r.removal()
	if !ok {
		return
	}
	replies, err := r.call(ctx, remove)
	if err == nil {
		err = replies[0].err
	}
	if err != nil {
		r.failed(err)
	}
}

// removal is the command that does it, if there is such an entry.
func (r *run[T]) removal() (cmd, bool) {
	s := r.c.store
	if r.snap == nil || !r.snap.parsed {
		return cmd{}, false
	}
	if hard, _ := s.compare(r.snap); !hard {
		return cmd{}, false
	}
	if s.cfg.Local != nil {
		s.cfg.Local.Void([]string{r.q.token})
	}
	return command.New(asIs, "UNLINK", r.q.entry).Repeat(), true
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
		r.c.say("encode", "value not cached: it cannot be encoded", "type", reflect.TypeFor[T]().String(), "error", err)
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
		if t != "" && !r.snap.knows(tagID(t)) {
			late = s.appendTag(late, t)
		}
	}
	if len(late) == 0 {
		return true
	}
	if countTags(r.snap.tokens)+countTags(late) > MaxTags {
		r.forgetLearned()
	}
	if countTags(r.snap.tokens)+countTags(late) > MaxTags {
		err := fmt.Errorf("%w: more than %d", ErrTags, MaxTags)
		r.c.say("late tags", "value not cached: its load adds too many tags", "error", err)
		r.failed(err)
		s.flights.Late(r.fl, late, true)
		return false
	}
	began := time.Now()
	s.flights.Close(r.fl) // who reads from now on may know more than the reply says
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

// forgetLearned takes the tags of earlier values out of the snapshot.
func (r *run[T]) forgetLearned() {
	var keep []flight.Token
	for _, t := range r.snap.tokens {
		own := t.ID[0] != 't' && t.ID[0] != 'T'
		for _, q := range r.q.tokens[:r.q.own] {
			own = own || q.ID == t.ID
		}
		for _, tag := range r.load.tags {
			own = own || tagID(tag)[1:] == t.ID[1:]
		}
		if own {
			keep = append(keep, t)
		}
	}
	r.snap = r.snap.with(keep)
}

// unread says that the load depends on tags whose tokens nobody will read: who
// began to read behind it loads anew.
func (r *run[T]) unread() {
	var late []flight.Token
	for _, t := range r.load.tags {
		if t != "" && (r.snap == nil || !r.snap.knows(tagID(t))) {
			late = r.c.store.appendTag(late, t)
		}
	}
	if len(late) > 0 {
		r.c.store.flights.Late(r.fl, late, r.snap != nil)
	}
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
// It runs in a goroutine of ours: a panic of a Codec or a Compressor must not end
// the process.
func (c *Cache[T]) set(key string, h entry.Header, tokens []flight.Token, value T) (set cmd, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	var body []byte
	if !h.Negative {
		if body, err = c.cfg.Advanced.Codec.Encode(nil, value); err != nil {
			return cmd{}, fmt.Errorf("strategies: encode %s: %w", c.cfg.Name, err)
		}
	}
	data, err := entry.Append(nil, h, marks(tokens), body, c.store.cfg.Compression.entry(), c.cfg.Advanced.CompressFrom)
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
	if n := s.c.Limits().Value; n != client.NoLimit {
		return n
	}
	return math.MaxInt
}

// decode returns the value of an entry.
func (c *Cache[T]) decode(a *answer) (v T, err error) {
	if a.entry.Negative {
		return v, ErrNotFound
	}
	if v, err = c.unpack(a); err != nil {
		var zero T
		c.say("decode", "entry not served: it cannot be decoded", "type", reflect.TypeFor[T]().String(), "error", err)
		return zero, err
	}
	return v, nil
}

// unpack calls the codec, which may panic.
func (c *Cache[T]) unpack(a *answer) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			var zero T
			v, err = zero, &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	body, err := a.entry.Body(c.store.cfg.Compression.entry())
	if err != nil {
		return v, err
	}
	err = c.cfg.Advanced.Codec.Decode(body, &v)
	return v, err
}
