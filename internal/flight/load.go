package flight

import (
	"context"
	"slices"
	"time"
)

// Load is one run of a loader, shared by the callers that may see its result.
type Load[S, V any] struct {
	key     string
	tokens  []Token
	read    *Read[S, V] // whose snapshot it has, nil for none
	start   uint64
	begun   uint64 // when its loader was called; 0 while it waits for its turn
	voided  bool
	private bool
	hurry   func() // starts it, while it waits for its turn
	hurried bool
	work    *Work[S, V] // whose loader brings it; nil until that is called
	// lateFrom makes waiters whose read was sent later load anew.
	lateFrom uint64
	closedAt uint64 // callers whose read was sent later do not join; 0 for open
	finished uint64

	done chan struct{}
	kept chan struct{} // closed when it becomes private
	// ended is closed when the starter's result is there, shared when that of
	// the others is: from then on only the store is under way.
	ended, shared chan struct{}
	// What the loader returned is early until the load has finished.
	returned, open bool
	behind         bool // nobody waits for its store
	early          V
	earlyErr       error
	value          V
	err            error
}

// Outcome of waiting for a load.
type Outcome int

// What a waiter must do.
const (
	Shared  Outcome = iota // take the value
	Again                  // ask again: the value is too old for this waiter
	Private                // load without sharing: the value is another's
)

// Ticket is one caller's place at a load.
type Ticket[S, V any] struct {
	// Load under way.
	Load *Load[S, V]
	// Started says that the caller must run it and end it with [Table.Finish].
	Started bool
	seq     uint64
}

// Join returns a place at a load of key that this caller may share, or begins
// one. read is the caller's own read and tokens what it saw. With alone set it
// always begins one, and read may be nil: there is no snapshot.
func (t *Table[S, V]) Join(key string, read *Read[S, V], tokens []Token, alone bool) Ticket[S, V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !alone {
		if l := t.find(key, read, tokens); l != nil {
			return Ticket[S, V]{Load: l, seq: read.sent}
		}
	}
	return t.start(key, read, tokens)
}

func (t *Table[S, V]) start(key string, read *Read[S, V], tokens []Token) Ticket[S, V] {
	l := &Load[S, V]{key: key, tokens: tokens, read: read, start: t.tick(), done: make(chan struct{}), kept: make(chan struct{}), ended: make(chan struct{}), shared: make(chan struct{})}
	if read != nil {
		l.voided = t.voidedSince(read.sent, tokens)
		read.children = append(read.children, l)
	}
	if !l.voided {
		s := t.slot(key)
		s.loads = append(s.loads, l)
		s.wake()
	}
	return Ticket[S, V]{Load: l, Started: true, seq: l.start}
}

// Busy reports whether a load that this caller could join is under way.
func (t *Table[S, V]) Busy(key string, read *Read[S, V], tokens []Token) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.find(key, read, tokens) != nil
}

func (t *Table[S, V]) find(key string, read *Read[S, V], tokens []Token) *Load[S, V] {
	s := t.slots[key]
	// The callers of one read all began before whatever voided its loads.
	for _, l := range read.children {
		if l.key == key && l.lateFrom == 0 && !l.private {
			return l
		}
	}
	candidates := read.joinable
	if s != nil {
		candidates = append(slices.Clip(candidates), s.loads...)
	}
	for _, l := range candidates {
		if l.key == key && !l.voided && !l.private && l.openTo(read) && l.sameAs(tokens) {
			return l
		}
	}
	return nil
}

// openTo reports whether the read was sent early enough. One that was sent
// behind the load's end shows what its store did, or that it was undone.
func (l *Load[S, V]) openTo(read *Read[S, V]) bool {
	return (l.closedAt == 0 || read.sent < l.closedAt) && (l.finished == 0 || read.sent < l.finished)
}

// sameAs reports whether a caller that saw tokens may share the load: it must
// have seen all that the load depends on, with the same values. What the load
// does not know of counts as absent.
func (l *Load[S, V]) sameAs(tokens []Token) bool {
	if l.read == nil {
		return false
	}
	value := func(list []Token, id string) (string, bool) {
		for _, tok := range list {
			if tok.ID == id {
				return tok.Value, true
			}
		}
		return "", false
	}
	for _, tok := range l.tokens {
		if have, ok := value(tokens, tok.ID); !ok || have != tok.Value {
			return false
		}
	}
	for _, tok := range tokens {
		if have, _ := value(l.tokens, tok.ID); have != tok.Value {
			return false
		}
	}
	return true
}

func (l *Load[S, V]) dependsOn(keys []string) bool {
	return slices.ContainsFunc(l.tokens, func(tok Token) bool { return slices.Contains(keys, tok.Key) })
}

// Storable reports whether no invalidation has voided the load.
func (t *Table[S, V]) Storable(l *Load[S, V]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !l.voided
}

// Late tells the load of tokens it was found to depend on while it ran. refuse
// says that one of them may have changed since the load began: then it is not
// stored, and callers whose read was sent after it began load anew. An
// invalidation of this process since then does the same.
func (t *Table[S, V]) Late(l *Load[S, V], tokens []Token, refuse bool) (storable bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refuse || t.voidedSince(l.start, tokens) {
		l.voided, l.lateFrom = true, l.start+1
	}
	l.tokens = append(slices.Clip(l.tokens), tokens...)
	if l.voided {
		t.drop(l)
	}
	return !l.voided
}

// Seal keeps callers whose read is sent from now on from joining the load.
func (t *Table[S, V]) Seal(l *Load[S, V]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.closedAt = t.tick()
}

// Renew replaces what the load is known to depend on, after its tokens were
// created.
func (t *Table[S, V]) Renew(l *Load[S, V], tokens []Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.tokens = tokens
}

// Unshare makes the load's result its starter's alone and sends the others away
// at once.
func (t *Table[S, V]) Unshare(l *Load[S, V]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.private || l.finished > 0 {
		return
	}
	l.private = true
	close(l.kept)
	t.drop(l)
}

func (t *Table[S, V]) drop(l *Load[S, V]) {
	s := t.slots[l.key]
	if s == nil {
		return
	}
	s.loads = slices.DeleteFunc(s.loads, func(have *Load[S, V]) bool { return have == l })
	t.sweep(l.key, s)
}

// Abandon ends a load that has outlived its time, with an error if its loader has
// not returned. It is not stored, and later callers load anew.
func (t *Table[S, V]) Abandon(l *Load[S, V], err error) {
	t.mu.Lock()
	l.voided = l.voided || l.finished == 0
	var value V
	if l.returned {
		value, err = l.early, l.earlyErr
	}
	t.mu.Unlock()
	t.Finish(l, value, err)
}

// Behind says, before it is published, whether the load's store goes on behind the
// answer: then nobody waits for it. Until it has ended the load can be joined.
func (t *Table[S, V]) Behind(l *Load[S, V], behind bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.behind = behind
}

// Finish ends the load: its result was stored, or will not be. Only the first
// call counts.
func (t *Table[S, V]) Finish(l *Load[S, V], value V, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.finished > 0 {
		return // abandoned before
	}
	l.value, l.err = value, err
	l.finished = t.tick()
	close(l.done)
	if s := t.slots[l.key]; s != nil {
		t.sweep(l.key, s)
	}
}

// Done is closed when the load has finished.
func (l *Load[S, V]) Done() <-chan struct{} { return l.done }

// Publish hands the result out to the starter, and with all set to the others
// too, while its store is still under way.
func (t *Table[S, V]) Publish(l *Load[S, V], value V, err error, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.finished > 0 {
		return
	}
	if !l.returned {
		l.returned, l.early, l.earlyErr = true, value, err
		close(l.ended)
		if s := t.slots[l.key]; s != nil {
			s.wake()
		}
	}
	if all && !l.open {
		l.open = true
		close(l.shared)
	}
}

// Wait waits for the load or for ctx. Outcome says whether the value is this
// caller's to take; the starter's always is. With patience it waits that long
// for the store of a result that is there; without, for the end.
func (t *Table[S, V]) Wait(ctx context.Context, k Ticket[S, V], patience func() time.Duration) (value V, outcome Outcome, err error) {
	var none V
	l := k.Load
	kept, ready := l.kept, l.shared
	if k.Started {
		kept, ready = nil, l.ended
	}
	if patience == nil {
		ready = nil
	}
	var enough <-chan time.Time
	for {
		select {
		case <-l.done:
			return l.result(k, l.value, l.err)
		default:
		}
		select {
		case <-l.done:
		case <-ready:
			if v, outcome, err, ok := t.ahead(k); ok {
				return v, outcome, err
			}
			timer := time.NewTimer(patience())
			defer timer.Stop()
			ready, enough = nil, timer.C
		case <-enough:
			t.mu.Lock()
			defer t.mu.Unlock()
			return l.result(k, l.early, l.earlyErr)
		case <-kept:
			return none, Private, nil
		case <-ctx.Done():
			return none, Shared, ctx.Err()
		}
	}
}

// ahead returns the result of a load whose store is behind the answer.
func (t *Table[S, V]) ahead(k Ticket[S, V]) (value V, outcome Outcome, err error, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := k.Load
	if !l.behind || l.finished > 0 {
		return value, Shared, nil, false
	}
	value, outcome, err = l.result(k, l.early, l.earlyErr)
	return value, outcome, err, true
}

func (l *Load[S, V]) result(k Ticket[S, V], value V, err error) (V, Outcome, error) {
	var none V
	switch {
	case k.Started:
		return value, Shared, err
	case l.private:
		return none, Private, nil
	case l.lateFrom > 0 && k.seq >= l.lateFrom:
		return none, Again, nil
	}
	return value, Shared, err
}
