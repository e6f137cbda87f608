package upstashtest

import (
	"context"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// Engine holds the data behind the protocol. Its methods may be called at
// once. An error means that the engine is out of order (dead, closed): what
// Redis refuses is a reply of kind error.
type Engine interface {
	// Do runs one command, its name first.
	Do(ctx context.Context, args []string) (Result, error)
	// Transaction runs all commands with nothing in between. If they are
	// discarded as a whole, the second result is the reason and not nil.
	Transaction(ctx context.Context, cmds [][]string) ([]Result, command.Reply, error)
	// Subscribe opens a stream of what is published.
	Subscribe(ctx context.Context, s Stream) (Subscription, error)
	// Close releases the data. Open subscriptions end.
	Close() error
}

// Result is the reply to one command, and the number of commands that ran
// inside it: those of a script, which are billed too.
type Result struct {
	Reply command.Reply
	Inner int
}

// Stream says what a subscription is of: channels, patterns, or all commands.
type Stream struct {
	Channels []string
	Patterns []string
	Monitor  bool
}

// Subscription is an open stream. Next is called by one goroutine.
type Subscription interface {
	// Next waits for events, in the form of the data lines of REST.
	Next(ctx context.Context) ([]string, error)
	Close() error
}

// embedded fits the engine in memory to [Engine].
type embedded struct{ *engine.Engine }

func (e embedded) Do(ctx context.Context, args []string) (Result, error) {
	r, err := e.Engine.Do(ctx, args)
	return Result(r), err
}

func (e embedded) Transaction(ctx context.Context, cmds [][]string) ([]Result, command.Reply, error) {
	rs, discarded, err := e.Engine.Transaction(ctx, cmds)
	results := make([]Result, len(rs))
	for i, r := range rs {
		results[i] = Result(r)
	}
	return results, discarded, err
}

func (e embedded) Subscribe(_ context.Context, s Stream) (Subscription, error) {
	switch {
	case s.Monitor:
		return e.Engine.Monitor()
	case len(s.Patterns) > 0:
		return e.Engine.PSubscribe(s.Patterns...)
	}
	return e.Engine.Subscribe(s.Channels...)
}
