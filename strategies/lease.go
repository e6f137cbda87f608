package strategies

import (
	"context"
	"slices"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// A lease lets one instance load while the others wait for what it stores. It
// always has an expiry, and it is never what makes a value valid: an instance
// that waits too long, or cannot ask, loads too.

const (
	firstPoll = 25 * time.Millisecond
	lastPoll  = 400 * time.Millisecond
)

// lease tries to become the one instance that loads. If another is, it waits
// for that one's entry and takes it: then found is true.
func (r *run[T]) lease(ctx context.Context) (value T, err error, found bool) {
	var zero T
	s := r.c.store
	life := r.c.cfg.Advanced.Lease
	if life <= 0 || r.snap == nil {
		return zero, nil, false
	}
	token := string(keyspace.NewToken(time.Now()))
	key := s.space.Lease(r.q.entry)
	replies, err := r.call(ctx, setPX(key, token, life, "NX"))
	if err != nil || replies[0].err != nil {
		return zero, nil, false
	}
	if replies[0].Kind != command.KindNil {
		r.held = command.New(asIs, "DELEX", key, "IFEQ", token).Repeat()
		r.holds = true
		return zero, nil, false
	}
	return r.poll(ctx, key, time.Now().Add(life))
}

// poll reads the entry until it is there, the lease has run out, or its holder
// gave it back without an entry: then there is nothing to wait for.
func (r *run[T]) poll(ctx context.Context, key string, until time.Time) (value T, err error, found bool) {
	s := r.c.store
	asked := append(r.q.tokens[:len(r.q.tokens):len(r.q.tokens)], flight.Token{ID: "l", Key: key})
	for pause := firstPoll; time.Now().Before(until); pause = min(2*pause, lastPoll) {
		select {
		case <-time.After(min(pause, time.Until(until))):
		case <-ctx.Done():
			return value, nil, false
		}
		read, err := s.readEntry(ctx, r.q.entry, asked)
		a := read.(*answer)
		r.out.cost.add(a.cost)
		if err != nil {
			return value, nil, false
		}
		held := a.tokens[len(asked)-1].Value != ""
		a.tokens = slices.Delete(a.tokens, len(asked)-1, len(asked))
		if v := s.judge(a, time.Now()); v.state == Hit {
			value, err := r.c.decode(a)
			if err == nil || a.entry.Negative {
				return value, err, true
			}
		}
		if !held {
			return value, nil, false
		}
	}
	return value, nil, false
}

// release gives the lease back if it is still this load's, with the commands
// that store the entry or, without them, alone.
func (r *run[T]) release(ctx context.Context) {
	if !r.holds {
		return
	}
	r.holds = false
	if _, err := r.call(ctx, r.held); err != nil {
		r.failed(err) // it expires by itself
	}
}
