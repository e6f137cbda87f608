package strategies

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cldcde/restash/internal/flight"
)

// place is a load's place among MaxLoads.
type place struct {
	slots chan struct{} // nil: it runs in the place of one that waits for it
	left  atomic.Bool
}

func (p *place) held() bool { return p != nil && !p.left.Load() }

// leave gives the place back, once.
func (p *place) leave() {
	if p != nil && p.left.CompareAndSwap(false, true) && p.slots != nil {
		<-p.slots
	}
}

// doing is what the context of a loader says about its load.
type doing struct {
	store *Store
	work  *flight.Work
	place *place
}

type doingKey struct{}

// doingOf returns what the caller is loading, if it is a loader.
func doingOf(ctx context.Context) doing {
	d, _ := ctx.Value(doingKey{}).(doing)
	return d
}

// onItsOwn is for work that no loader waits for.
func onItsOwn(ctx context.Context) context.Context {
	return context.WithValue(ctx, doingKey{}, doing{})
}

// acquire waits for a place among MaxLoads for the loader of loads. One that
// another loader asked for runs in that one's place; one that is queued starts
// at once when a running one joins it.
func (s *Store) acquire(ctx context.Context, loads ...*flight.Load) (*place, error) {
	parent := doingOf(ctx)
	if s.slots == nil || parent.store == s && parent.place.held() {
		return &place{}, nil
	}
	hurried := make(chan struct{})
	s.flights.Queued(sync.OnceFunc(func() { close(hurried) }), loads...)
	select {
	case s.slots <- struct{}{}:
		return &place{slots: s.slots}, nil
	case <-hurried:
		return &place{}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// begin notes that the loader of loads is called, and tells it so by its context.
func (s *Store) begin(ctx context.Context, p *place, loads ...*flight.Load) (context.Context, *flight.Work) {
	w := s.flights.Run(doingOf(ctx).work, loads...)
	return context.WithValue(ctx, doingKey{}, doing{store: s, work: w, place: p}), w
}

// within fails if the caller is a loader that loads the entry already, or that
// another one waits for which does.
func (s *Store) within(ctx context.Context, entry string) error {
	if w := doingOf(ctx).work; w != nil {
		if path := w.Within(s.flights, entry); path != nil {
			return circleError(path)
		}
	}
	return nil
}

// await notes that the caller waits for a load, until leave is called. It fails
// at once if the load waits for the caller.
func (s *Store) await(ctx context.Context, k flight.Ticket) (leave func(), err error) {
	d := doingOf(ctx)
	circle, leave := d.work.Wait(k.Load)
	if circle != nil {
		return nil, circleError(circle)
	}
	if !k.Started && d.store == s && d.place.held() {
		s.flights.Hurry(k.Load)
	}
	return leave, nil
}

// circleError names the keys of loads each of which waits for the next.
func circleError(entries []string) error {
	names := make([]string, 0, len(entries)+1)
	for _, e := range append(entries, entries[0]) {
		if parts := strings.SplitN(e, ":", 5); len(parts) == 5 {
			e = parts[2] + " " + parts[4] // handle and key
		}
		names = append(names, e)
	}
	return fmt.Errorf("%w: %s", ErrCircle, strings.Join(names, " → "))
}
