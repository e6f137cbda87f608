package flight

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Token is one token that an entry depends on: its short id within the entry,
// its Redis key, and the value a read saw ("" = absent).
type Token struct{ ID, Key, Value string }

// Table holds the reads and loads under way in one process.
// The zero value is not ready: use [NewTable].
type Table[S, V any] struct {
	read  ReadFunc[S]
	spawn func(func())

	seq atomic.Uint64

	mu    sync.Mutex
	slots map[string]*slot[S, V]
	// recent says when a token key was last invalidated here; what it has
	// forgotten counts as invalidated at floor.
	recent map[string]uint64
	floor  uint64
}

// maxRecent bounds the memory of invalidations.
const maxRecent = 8192

// NewTable returns an empty table. read reads a key; spawn runs a read that no
// caller can run itself, in a goroutine that the table's owner waits for.
func NewTable[S, V any](read ReadFunc[S], spawn func(func())) *Table[S, V] {
	return &Table[S, V]{read: read, spawn: spawn, slots: map[string]*slot[S, V]{}, recent: map[string]uint64{}}
}

// slot is what is under way for one entry key.
type slot[S, V any] struct {
	current, next *Read[S, V]
	reads         []*Read[S, V]  // sent, not answered
	loads         []*Load[S, V]  // joinable
	changed       chan struct{}  // closed when loads changes; nil if nobody waits for that
	one           [1]*Read[S, V] // room for reads: more are rare
}

func (t *Table[S, V]) slot(key string) *slot[S, V] {
	s := t.slots[key]
	if s == nil {
		s = &slot[S, V]{}
		s.reads = s.one[:0]
		t.slots[key] = s
	}
	return s
}

func (t *Table[S, V]) tick() uint64 { return t.seq.Add(1) }

// Now is a moment in the order of reads and loads, for [Table.JoinBlind].
func (t *Table[S, V]) Now() uint64 { return t.seq.Load() }

// sweep drops finished loads that no read can still need, and empty slots.
func (t *Table[S, V]) sweep(key string, s *slot[S, V]) {
	s.loads = slices.DeleteFunc(s.loads, func(l *Load[S, V]) bool { return l.finished > 0 && !s.sentBefore(l.finished) })
	s.wake()
	if s.current == nil && s.next == nil && len(s.reads) == 0 && len(s.loads) == 0 {
		delete(t.slots, key)
	}
}

func (s *slot[S, V]) sentBefore(seq uint64) bool {
	return slices.ContainsFunc(s.reads, func(r *Read[S, V]) bool { return r.sent < seq })
}

// Void notes that the token keys were invalidated: loads that depend on one of
// them are no longer joined or stored. Call it before the invalidation is sent
// and again when it is answered.
func (t *Table[S, V]) Void(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.tick()
	if len(t.recent)+len(keys) > maxRecent {
		clear(t.recent)
		t.floor = now
	}
	for _, k := range keys {
		t.recent[k] = now
	}
	for key, s := range t.slots {
		s.loads = slices.DeleteFunc(s.loads, func(l *Load[S, V]) bool {
			if !l.dependsOn(keys) {
				return false
			}
			l.voided = true
			return true
		})
		t.sweep(key, s)
	}
}

// voidedSince reports whether one of the tokens was invalidated after seq.
func (t *Table[S, V]) voidedSince(seq uint64, tokens []Token) bool {
	return t.floor > seq || slices.ContainsFunc(tokens, func(tok Token) bool { return t.recent[tok.Key] > seq })
}

// Idle reports whether nothing is under way; for tests.
func (t *Table[S, V]) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.slots) == 0
}

// Read is one read of a key, shared by the callers that came before it was sent.
type Read[S, V any] struct {
	key     string
	tokens  []Token // to be read; grows until sent
	sent    uint64
	waiters int
	ctx     context.Context

	done     chan struct{} // nil where its only caller runs it
	result   S
	err      error
	joinable []*Load[S, V] // when it was answered
	children []*Load[S, V] // begun by its own callers
}

// ReadFunc reads a key and its tokens. Its result is shared by the callers.
type ReadFunc[S any] func(ctx context.Context, key string, tokens []Token) (S, error)

// Result is what the read returned.
func (r *Read[S, V]) Result() (S, error) { return r.result, r.err }

// Read reads key and tokens, or waits for a read of them that is sent after
// this call began. The first caller runs it on its own context; one that is shared runs
// detached from its callers, each of whom leaves on its own context, or with
// [ErrPatience] when it has waited that long.
func (t *Table[S, V]) Read(ctx context.Context, key string, tokens []Token, patience time.Duration) (*Read[S, V], error) {
	t.mu.Lock()
	s := t.slot(key)
	if s.current == nil {
		r := &Read[S, V]{key: key, tokens: tokens, ctx: ctx, waiters: 1}
		t.send(s, r)
		t.mu.Unlock()
		t.run(s, r)
		return r, r.err
	}
	if s.next == nil {
		s.next = &Read[S, V]{key: key, tokens: slices.Clone(tokens), ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
	}
	r := s.next
	r.add(tokens)
	r.waiters++
	t.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	err := ErrPatience
	select {
	case <-r.done:
		return r, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r.waiters--
	return nil, err
}

// ErrPatience says that a shared read took longer than its caller would wait.
var ErrPatience = errors.New("flight: the read took too long")

// add joins other tokens to a read that has not been sent.
func (r *Read[S, V]) add(tokens []Token) {
	for _, tok := range tokens {
		if !slices.ContainsFunc(r.tokens, func(have Token) bool { return have.Key == tok.Key }) {
			r.tokens = append(r.tokens, tok)
		}
	}
}

func (t *Table[S, V]) send(s *slot[S, V], r *Read[S, V]) {
	r.sent = t.tick()
	s.current = r
	s.reads = append(s.reads, r)
}

func (t *Table[S, V]) run(s *slot[S, V], r *Read[S, V]) {
	r.err = ErrEnded // the read calls code of the user's, such as a transport
	defer t.ran(s, r)
	r.result, r.err = t.read(r.ctx, r.key, r.tokens)
}

// ErrEnded says that the read's goroutine was ended, or that the read panicked.
var ErrEnded = errors.New("flight: the read did not return")

// ran lets the read's callers go on and sends the next.
func (t *Table[S, V]) ran(s *slot[S, V], r *Read[S, V]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.answered(s)
	s.current = nil
	if next := s.next; next != nil {
		s.next = nil
		if next.waiters > 0 {
			t.send(s, next)
			t.spawn(func() { t.run(s, next) })
		}
	}
	t.sweep(r.key, s)
	if r.done != nil {
		close(r.done)
	}
}

// answered takes note of the loads that this read's callers may join.
func (r *Read[S, V]) answered(s *slot[S, V]) {
	if i := slices.Index(s.reads, r); i >= 0 {
		s.reads = slices.Delete(s.reads, i, i+1)
	}
	r.joinable = append(r.joinable, s.loads...)
}

// Begin registers a read of several keys that the caller runs by itself; it
// must be ended by [Table.End].
func (t *Table[S, V]) Begin(keys []string) *Read[S, V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &Read[S, V]{sent: t.tick()}
	for _, k := range keys {
		s := t.slot(k)
		if !slices.Contains(s.reads, r) {
			s.reads = append(s.reads, r)
		}
	}
	return r
}

// End says that the read was answered.
func (t *Table[S, V]) End(r *Read[S, V], keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		s := t.slot(k)
		r.answered(s)
		t.sweep(k, s)
	}
}
