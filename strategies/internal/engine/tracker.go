package engine

import (
	"context"
	"sync"
)

// Tracker owns goroutines: it knows when none is left. Unlike a WaitGroup it
// may be waited for while new work comes.
type Tracker struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n falls to 0; nil if nobody waits
}

// Go runs work in a goroutine of its own.
func (t *Tracker) Go(work func()) {
	t.begin()
	go func() {
		defer t.end()
		work()
	}()
}

// Here runs work in the caller's goroutine.
func (t *Tracker) Here(work func()) {
	t.begin()
	defer t.end()
	work()
}

func (t *Tracker) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

func (t *Tracker) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// Idle waits until no work is under way.
func (t *Tracker) Idle(ctx context.Context) error {
	none := t.waiting()
	if none == nil {
		return nil
	}
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waiting returns what is closed when there is no work, nil if there is none.
func (t *Tracker) waiting() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n > 0 && t.none == nil {
		t.none = make(chan struct{})
	}
	return t.none
}
