package client

import (
	"context"
	"time"

	"github.com/cldcde/restash/client/command"
)

// Trace is a set of functions that are called as requests go on. Each may be
// nil. They run in the goroutine of the call, several at once if calls do,
// and must not block. None is given arguments, values or the token. Several are
// made one by [JoinTraces].
//
// ctx is the caller's. A request that several callers share, see
// [Config].Coalesce, has a context of its own, that of none of them.
type Trace struct {
	// Start is called before the first attempt. What it returns is the context
	// of the call from there on: of the attempts, so that a transport that
	// traces finds the span that was started here, and of Retry and Done. A nil
	// context stands for ctx.
	Start func(ctx context.Context, i StartInfo) context.Context
	// Retry is called when an attempt failed and another will be made after
	// Wait.
	Retry func(ctx context.Context, i RetryInfo)
	// Done is called once per Start, when the call is over.
	Done func(ctx context.Context, i DoneInfo)
	// StreamOpen is called when a stream got its first sign of life from the
	// server, and again after each interruption.
	StreamOpen func(ctx context.Context, command string)
	// Thaw is called when idle connections are dropped because the process
	// seems to have been frozen; gap is how long the client was not used.
	Thaw func(ctx context.Context, gap time.Duration)
}

// StartInfo is what [Trace].Start is told.
type StartInfo struct {
	Command  string // the name, "pipeline" or "multi-exec"
	Commands int    // how many commands the request carries
	Bytes    int    // size of the request body

	batch []command.Cmd
}

// Names returns the names of the commands that the request carries, in their
// order.
func (i StartInfo) Names() []string {
	if i.batch == nil {
		return []string{i.Command}
	}
	names := make([]string, len(i.batch))
	for n, cmd := range i.batch {
		names[n] = cmd.Name()
	}
	return names
}

// RetryInfo is what [Trace].Retry is told.
type RetryInfo struct {
	Command string
	Attempt int           // how many attempts were made so far
	Status  int           // HTTP status, 0 if there was no answer
	Sent    Sent          // what is known of the failed attempt
	Wait    time.Duration // until the next attempt
	Err     error         // nil if the status was the reason
}

// DoneInfo is what [Trace].Done is told.
type DoneInfo struct {
	Command  string
	Commands int
	Attempts int
	Status   int
	BytesIn  int // size of the answer's body
	Bytes    int // size of the request body, of one attempt
	Elapsed  time.Duration
	Err      error // an *Error if the call failed as a whole
}

// JoinTraces returns one Trace that calls all of them, nil ones left out: in their
// order, but Done in the reverse one, so that each context is ended by whom it was
// begun.
func JoinTraces(traces ...*Trace) *Trace {
	return &Trace{
		Start: func(ctx context.Context, i StartInfo) context.Context {
			for _, t := range traces {
				ctx = t.start(ctx, i)
			}
			return ctx
		},
		Retry: func(ctx context.Context, i RetryInfo) {
			for _, t := range traces {
				t.retry(ctx, i)
			}
		},
		Done: func(ctx context.Context, i DoneInfo) {
			for n := range traces {
				traces[len(traces)-1-n].done(ctx, i)
			}
		},
		StreamOpen: func(ctx context.Context, command string) {
			for _, t := range traces {
				t.streamOpen(ctx, command)
			}
		},
		Thaw: func(ctx context.Context, gap time.Duration) {
			for _, t := range traces {
				t.thaw(ctx, gap)
			}
		},
	}
}

func (t *Trace) start(ctx context.Context, i StartInfo) context.Context {
	if t == nil || t.Start == nil {
		return ctx
	}
	if own := t.Start(ctx, i); own != nil {
		return own
	}
	return ctx
}

func (t *Trace) retry(ctx context.Context, i RetryInfo) {
	if t != nil && t.Retry != nil {
		t.Retry(ctx, i)
	}
}

func (t *Trace) done(ctx context.Context, i DoneInfo) {
	if t != nil && t.Done != nil {
		t.Done(ctx, i)
	}
}

func (t *Trace) thaw(ctx context.Context, gap time.Duration) {
	if t != nil && t.Thaw != nil {
		t.Thaw(ctx, gap)
	}
}

func (t *Trace) streamOpen(ctx context.Context, command string) {
	if t != nil && t.StreamOpen != nil {
		t.StreamOpen(ctx, command)
	}
}
