package engine

import (
	"context"
	"slices"
	"sync"
)

// Tracker owns goroutines: it knows when those of a moment are done. Unlike a
// WaitGroup it may be waited for while new work comes, which nobody waits for:
// under steady load there is always some.
type Tracker struct {
	mu      sync.Mutex
	last    uint64 // the number of the newest work
	under   map[uint64]struct{}
	waiters []*waiter
}

// waiter waits for work up to a number.
type waiter struct {
	last uint64
	left int
	none chan struct{} // closed when left falls to 0
}

// Go runs work in a goroutine of its own.
func (t *Tracker) Go(work func()) {
	n := t.begin()
	go func() {
		defer t.end(n)
		work()
	}()
}

// Here runs work in the caller's goroutine.
func (t *Tracker) Here(work func()) {
	defer t.end(t.begin())
	work()
}

// begin returns the number of a new piece of work.
func (t *Tracker) begin() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.under == nil {
		t.under = map[uint64]struct{}{}
	}
	t.last++
	t.under[t.last] = struct{}{}
	return t.last
}

func (t *Tracker) end(n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.under, n)
	t.waiters = slices.DeleteFunc(t.waiters, func(w *waiter) bool {
		if n > w.last {
			return false
		}
		w.left--
		if w.left == 0 {
			close(w.none)
		}
		return w.left == 0
	})
}

// Idle waits until the work that was under way when it was called is done.
func (t *Tracker) Idle(ctx context.Context) error {
	w := t.wait()
	if w == nil {
		return nil
	}
	select {
	case <-w.none:
		return nil
	case <-ctx.Done():
		t.leave(w)
		return context.Cause(ctx)
	}
}

// wait returns a new waiter, nil if no work is under way.
func (t *Tracker) wait() *waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.under) == 0 {
		return nil
	}
	w := &waiter{last: t.last, left: len(t.under), none: make(chan struct{})}
	t.waiters = append(t.waiters, w)
	return w
}

func (t *Tracker) leave(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiters = slices.DeleteFunc(t.waiters, func(have *waiter) bool { return have == w })
}
