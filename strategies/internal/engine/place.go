package engine

import (
	"context"
	"errors"
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
	engine *Engine
	work   *work
	place  *place
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
func (e *Engine) acquire(ctx context.Context, loads ...*load) (*place, error) {
	parent := doingOf(ctx)
	if e.slots == nil || parent.engine == e && parent.place.held() {
		return &place{}, nil
	}
	hurried := make(chan struct{})
	e.flights.Queued(sync.OnceFunc(func() { close(hurried) }), loads...)
	select {
	case e.slots <- struct{}{}:
		return &place{slots: e.slots}, nil
	case <-hurried:
		return &place{}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// begin notes that the loader of loads is called, and tells it so by its context.
func (e *Engine) begin(ctx context.Context, p *place, loads ...*load) (context.Context, *work) {
	w := e.flights.Run(doingOf(ctx).work, loads...)
	return context.WithValue(ctx, doingKey{}, doing{engine: e, work: w, place: p}), w
}

// within fails if the caller is a loader that loads the entry already, or that
// another one waits for which does.
func (e *Engine) within(ctx context.Context, entry string) error {
	if w := doingOf(ctx).work; w != nil {
		if path := w.Within(e.flights, entry); path != nil {
			return circleError(path)
		}
	}
	return nil
}

// await notes that the caller waits for a load, until leave is called. It fails
// at once if the load waits for the caller.
func (e *Engine) await(ctx context.Context, k ticket) (leave func(), err error) {
	d := doingOf(ctx)
	circle, leave := d.work.Wait(k.Load)
	if circle != nil {
		return nil, circleError(circle)
	}
	if !k.Started && d.engine == e && d.place.held() {
		e.flights.Hurry(k.Load)
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

// joinBlind gives callers without a snapshot their places.
func (e *Engine) joinBlind(ctx context.Context, wants []flight.Want, since uint64) ([]ticket, error) {
	tickets, err := e.flights.JoinBlind(ctx, wants, flight.Blind[*snapshot, *outcome]{Since: since, Patience: e.share(ctx), Work: doingOf(ctx).work})
	if circle, ok := errors.AsType[flight.Circle](err); ok {
		return nil, circleError(circle)
	}
	return tickets, err
}
