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

// JoinBlind is [Table.Join] for a caller that could not read: it cannot tell
// what a load from before its own call has missed, so it shares only loads that
// began after since, which is [Table.Now] at the beginning of the call. For an
// older load's end it waits at most for patience: all who wait share the next
// one, and so a stampede is two loads here too. The loads that it begins for
// several keys begin together.
func (t *Table) JoinBlind(ctx context.Context, wants []Want, since uint64, patience time.Duration) ([]Ticket, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		tickets, changed := t.tryBlind(wants, since, false)
		if tickets != nil {
			return tickets, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			tickets, _ = t.tryBlind(wants, since, true)
			return tickets, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryBlind takes a place for each want, unless an older load of one is under way.
// Then it returns what is closed when that may have changed.
func (t *Table) tryBlind(wants []Want, since uint64, now bool) ([]Ticket, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tickets := make([]Ticket, len(wants))
	for i, w := range wants {
		s := t.slots[w.Key]
		if s == nil {
			continue
		}
		l, older := s.since(since)
		if l == nil && older && !now {
			return nil, s.wait()
		}
		if l != nil {
			tickets[i] = Ticket{Load: l, seq: since}
		}
	}
	for i, w := range wants {
		if tickets[i].Load == nil {
			tickets[i] = t.start(w.Key, nil, w.Tokens)
		}
	}
	return tickets, nil
}

// since returns a load that began after seq, or whether an older one is under way.
func (s *slot) since(seq uint64) (found *Load, older bool) {
	for _, l := range s.loads {
		switch {
		case l.finished > 0 || l.voided:
		case l.begun == 0 || l.begun > seq:
			return l, false
		default:
			older = older || l.early == nil
		}
	}
	return nil, older
}

// Begun notes that the loader is called now: until then a load is newer than
// everybody who asks for it.
func (t *Table) Begun(l *Load) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.begun = t.tick()
}

func (s *slot) wait() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// wake lets those go on who wait for a load's end.
func (s *slot) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
