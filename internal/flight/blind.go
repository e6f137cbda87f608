package flight

import (
	"context"
	"time"
)

// Want is a key that a caller without a snapshot asks for, with what an
// invalidation that hits it would name.
type Want struct {
	Key    string
	Tokens []Token
}

// Blind is a caller without a snapshot.
type Blind[S, V any] struct {
	// Since is [Table.Now] at the beginning of its call.
	Since uint64
	// Patience is how long it waits for the end of an older load.
	Patience time.Duration
	// Work is whose loader calls, if one does.
	Work *Work[S, V]
}

// Circle is the error of a wait for an older load that waits for the caller: its
// keys, as [Work.Wait] returns them.
type Circle []string

// Error says that there is a circle.
func (c Circle) Error() string { return "flight: a circle of loads" }

// JoinBlind is [Table.Join] for a caller that could not read: it cannot tell
// what a load from before its own call has missed, so it shares only loads that
// began after b.Since. For an
// older load's end it waits at most for b.Patience: all who wait share the next
// one, and so a stampede is two loads here too. The loads that it begins for
// several keys begin together.
func (t *Table[S, V]) JoinBlind(ctx context.Context, wants []Want, b Blind[S, V]) ([]Ticket[S, V], error) {
	timer := time.NewTimer(b.Patience)
	defer timer.Stop()
	for patient := true; ; {
		tickets, older, changed := t.tryBlind(wants, b.Since, !patient)
		if tickets != nil {
			return tickets, nil
		}
		circle, leave := b.Work.Wait(older)
		if circle != nil {
			return nil, Circle(circle)
		}
		select {
		case <-changed:
		case <-timer.C:
			patient = false
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
		leave()
	}
}

// tryBlind takes a place for each want, unless an older load of one is under way.
// Then it returns that, and what is closed when it may have ended.
func (t *Table[S, V]) tryBlind(wants []Want, since uint64, now bool) ([]Ticket[S, V], *Load[S, V], <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tickets := make([]Ticket[S, V], len(wants))
	for i, w := range wants {
		s := t.slots[w.Key]
		if s == nil {
			continue
		}
		l, older := s.since(since)
		if l == nil && older != nil && !now {
			return nil, older, s.wait()
		}
		if l != nil {
			tickets[i] = Ticket[S, V]{Load: l, seq: since}
		}
	}
	for i, w := range wants {
		if tickets[i].Load == nil {
			tickets[i] = t.start(w.Key, nil, w.Tokens)
		}
	}
	return tickets, nil, nil
}

// since returns a load that began after seq, or an older one that is under way.
func (s *slot[S, V]) since(seq uint64) (found, older *Load[S, V]) {
	for _, l := range s.loads {
		switch {
		case l.finished > 0:
		case l.begun == 0 || l.begun > seq:
			return l, nil
		case !l.returned:
			older = l
		}
	}
	return nil, older
}

func (s *slot[S, V]) wait() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// wake lets those go on who wait for a load's end.
func (s *slot[S, V]) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
