package strategies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// answer is what one read of an entry and its tokens brought. The callers of
// the read share it and do not change it.
type answer struct {
	data   []byte // the entry as it stands in Redis, nil if absent
	entry  entry.Entry
	parsed bool
	tokens []flight.Token // with their values, late tags included
	at     time.Time      // before it was sent
	took   time.Duration
	cost   cost
	stamp  uint64 // of the local cache
	// pending tokens when it was sent: Redis may not have heard of them.
	hardPending, softPending bool
	paid                     atomic.Bool
}

// claim returns true to the one caller that the read's cost is charged to.
func (a *answer) claim() bool { return a.paid.CompareAndSwap(false, true) }

// with returns the snapshot of the answer with other tokens.
func (a *answer) with(tokens []flight.Token) *answer {
	return &answer{data: a.data, entry: a.entry, parsed: a.parsed, tokens: tokens, at: a.at, took: a.took}
}

var errShort = errors.New("strategies: a reply is shorter than the command asks for")

// readEntry asks for an entry and its tokens in one command. If the entry names
// tags that were not asked for, their tokens are read too, in a second one; the
// next time they are known.
func (s *Store) readEntry(ctx context.Context, key string, tokens []flight.Token) (any, error) {
	a := &answer{at: time.Now()}
	budget := s.share(ctx)
	if s.cfg.Local != nil {
		a.stamp = s.cfg.Local.Stamp()
	}
	keys := make([]string, 1, len(tokens)+1)
	keys[0] = key
	a.hardPending, a.softPending = s.pending.replaced(tokens)
	values, err := s.mget(ctx, budget, appendKeys(keys, tokens), &a.cost)
	if err != nil {
		a.took = time.Since(a.at)
		return a, err
	}
	a.tokens = withValues(tokens, values[1:])
	a.parse(values[0])
	if missing := a.missingTags(); len(missing) > 0 {
		err = s.readLate(ctx, budget-time.Since(a.at), a, key, missing)
	}
	a.took = time.Since(a.at)
	s.counters.latency.add(a.took)
	return a, err
}

func appendKeys(keys []string, tokens []flight.Token) []string {
	for _, t := range tokens {
		keys = append(keys, t.Key)
	}
	return keys
}

func withValues(tokens []flight.Token, values []command.Reply) []flight.Token {
	seen := make([]flight.Token, len(tokens))
	for i, t := range tokens {
		t.Value = string(values[i].Bytes)
		seen[i] = t
	}
	return seen
}

// mget reads keys with one command and checks the shape of the reply.
func (s *Store) mget(ctx context.Context, budget time.Duration, keys []string, spent *cost) ([]command.Reply, error) {
	replies, c, err := s.call(ctx, budget, mget(keys))
	spent.add(c)
	if err != nil {
		return nil, err
	}
	if err := replies[0].err; err != nil {
		return nil, err
	}
	if n := len(replies[0].Array); n != len(keys) {
		return nil, fmt.Errorf("strategies: MGET of %d keys answered %d values", len(keys), n)
	}
	return replies[0].Array, nil
}

func (a *answer) parse(r command.Reply) {
	if r.Kind == command.KindNil {
		return
	}
	a.data = r.Bytes
	e, err := entry.Parse(r.Bytes)
	a.entry, a.parsed = e, err == nil
}

func (a *answer) missingTags() []string {
	if !a.parsed {
		return nil
	}
	tags := a.entry.MissingTags(a.knows)
	for i, t := range tags {
		tags[i] = keyspace.Unescape(t)
	}
	return tags
}

func (a *answer) knows(id string) bool {
	for i := range a.tokens {
		if a.tokens[i].ID == id {
			return true
		}
	}
	return false
}

// readLate reads the tokens of tags that the entry was found to have.
func (s *Store) readLate(ctx context.Context, budget time.Duration, a *answer, key string, tags []string) error {
	if len(tags) > MaxTags {
		a.parsed = false // no entry of ours has so many
		return nil
	}
	var late []flight.Token
	for _, t := range tags {
		late = s.appendTag(late, t)
	}
	hard, soft := s.pending.replaced(late)
	a.hardPending, a.softPending = a.hardPending || hard, a.softPending || soft
	values, err := s.mget(ctx, budget, appendKeys(nil, late), &a.cost)
	if err != nil {
		return err
	}
	a.tokens = append(a.tokens, withValues(late, values)...)
	s.learn(key, tags)
	return nil
}

// learn remembers tags of an entry that its callers do not name.
func (s *Store) learn(key string, tags []string) {
	known, _ := s.learned.get(key)
	merged := append([]string(nil), known...)
	for _, t := range tags {
		if !slices.Contains(merged, t) {
			merged = append(merged, t)
		}
	}
	if len(merged) > MaxTags {
		merged = tags
	}
	s.learned.set(key, merged)
}

// verdict is what an entry is worth at a moment.
type verdict struct {
	state   State  // Hit, Stale, or Miss
	reason  string // why it is no Hit
	onError bool   // a Miss that may be served if its load fails
	old     bool   // valid by its tokens, whatever its age
	left    time.Duration
	last    bool // Stale, and in the last quarter of its window
}

// judge compares the entry with the tokens read beside it, and with the clock.
func (s *Store) judge(a *answer, now time.Time) verdict {
	switch {
	case a.data == nil:
		return verdict{reason: ReasonAbsent}
	case !a.parsed:
		return verdict{reason: ReasonUndecodable}
	}
	hard, soft := s.compare(a)
	if !hard {
		return verdict{reason: ReasonInvalidated}
	}
	e := &a.entry
	left := e.Deadline().Sub(now)
	v := verdict{old: true, left: left, onError: now.Before(e.Deadline().Add(e.StaleIfError))}
	window := e.Deadline().Add(e.StaleWhileRevalidate)
	switch {
	case left > 0 && soft:
		v.state = Hit
	case !soft && now.Before(window):
		v.state, v.reason, v.last, v.left = Stale, ReasonStale, true, min(left, 0)
	case now.Before(window):
		v.state, v.reason = Stale, ReasonStale
		v.last = window.Sub(now) <= e.StaleWhileRevalidate/4
	default:
		v.reason = ReasonExpired
	}
	return v
}

// compare reports whether all hard tokens are the entry's, and all soft ones.
// What the entry does not name was absent when it was loaded. In strict mode
// an absent token is a lost one.
func (s *Store) compare(a *answer) (hard, soft bool) {
	hard, soft = !a.hardPending, !a.softPending
	for _, t := range a.tokens {
		was, _ := a.entry.Token(t.ID)
		if string(was) == t.Value && (t.Value != "" || !s.cfg.Strict) {
			continue
		}
		if isSoft(t.ID) {
			if string(was) != t.Value {
				soft = false
			}
			continue
		}
		hard = false
	}
	// A mark that was not read cannot be vouched for; its tags were read late,
	// so it is one of a deeper layout than this version's.
	for id := range a.entry.Marks() {
		if !markRead(a.tokens, id) && !(isSoft(string(id)) && !s.cfg.Soft) {
			hard = false
		}
	}
	return hard, soft
}

func isSoft(id string) bool { return id[0] >= 'A' && id[0] <= 'Z' }

func markRead(tokens []flight.Token, id []byte) bool {
	if len(id) > 0 && (id[0] == 't' || id[0] == 'T') {
		return true // readLate has seen to it
	}
	for i := range tokens {
		if tokens[i].ID == string(id) {
			return true
		}
	}
	return false
}

// unreadReason is why a load has no snapshot.
func unreadReason(err error) string {
	if errors.Is(err, errOpen) {
		return ReasonBreaker
	}
	return ReasonError
}
