package strategies

import (
	"context"
	"fmt"
	"time"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// DefaultInline is how long [Inline] lets a caller wait by default.
const DefaultInline = 300 * time.Millisecond

// Executor runs the work that is left when an answer is ready: the refresh of a
// stale value, the store of one that was loaded. Where instances freeze after their answer nothing
// left to a goroutine is sure to happen; there the caller waits a little.
type Executor interface {
	// Submit runs work in a goroutine of the executor's and reports whether it
	// took it. A refresh that is not taken is not done, a store its caller does.
	Submit(work func()) bool
	// Wait is how long a caller waits for work that answers its own question
	// before it gives what it has; 0 means that it does not wait. Where it does,
	// a miss is stored before its answer: nothing behind that is sure to happen.
	Wait() time.Duration
	// Flush returns when the work that was submitted before it is done, or ctx
	// ends. It does not wait for later work: under load there is always some.
	Flush(ctx context.Context) error
}

// Inline returns an [Executor] whose callers wait for their own refresh up to
// budget: what is not done by then may not be done at all. A negative budget
// means 0. An entry whose load took longer than budget the last time is not
// refreshed that way; in the last quarter of its window one caller loads it in
// full.
func Inline(budget time.Duration) Executor {
	return &executor{wait: max(budget, 0), slots: make(chan struct{}, 256)}
}

// Pool returns an [Executor] that runs at most n pieces of work at once in the
// background; n below 1 means 1. More is refused: a stale value stays so and
// the next caller tries again; a loaded one is stored before its answer.
func Pool(n int) Executor {
	return &executor{slots: make(chan struct{}, max(n, 1))}
}

func defaultExecutor(env func(string) string) Executor {
	for _, name := range []string{"VERCEL", "AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE"} {
		if env(name) != "" {
			return Inline(DefaultInline)
		}
	}
	return Pool(16)
}

type executor struct {
	wait  time.Duration
	slots chan struct{}
	work  engine.Tracker
}

func (e *executor) Submit(work func()) bool {
	select {
	case e.slots <- struct{}{}:
	default:
		return false
	}
	e.work.Go(func() {
		defer func() { <-e.slots }()
		work()
	})
	return true
}

func (e *executor) Wait() time.Duration { return e.wait }

func (e *executor) Flush(ctx context.Context) error {
	if err := e.work.Idle(ctx); err != nil {
		return fmt.Errorf("strategies: flush: %w", err)
	}
	return nil
}
