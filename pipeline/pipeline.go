package pipeline

import (
	"context"
	"errors"
	"slices"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// The most that one request carries; a longer pipeline takes several.
const (
	MaxCommands = 1000
	MaxBytes    = 8 << 20 // of arguments
)

// ErrNotRun is the error of a [Result] that was read before Exec, or whose
// command was not reached because an earlier request of the same Exec failed.
var ErrNotRun = errors.New("pipeline: not run")

// Pipeline collects commands and sends them with [Pipeline.Exec]. It is for
// one goroutine at a time; its results may be read by any once Exec returned.
type Pipeline struct {
	c     *client.Client
	queue []entry
	tx    bool
}

// entry is a queued command that takes its own reply.
type entry interface {
	command.Cmd
	Fallback() (command.Cmd, bool)
	set(command.Reply)
	fail(error)
	failure() error
}

// New returns an empty pipeline whose commands run in their order, but not
// atomically: commands of others may come between.
func New(c *client.Client) *Pipeline { return &Pipeline{c: c} }

// NewTx returns an empty pipeline whose commands run atomically, in one
// request. A command that fails while it runs does not undo the others.
func NewTx(c *client.Client) *Pipeline { return &Pipeline{c: c, tx: true} }

// Add queues a command. The methods of [Pipeline] are short for it.
func Add[T any](p *Pipeline, cmd command.Command[T]) *Result[T] {
	q := &queued[T]{Command: cmd, result: Result[T]{err: ErrNotRun}}
	p.queue = append(p.queue, q)
	return &q.result
}

// Len returns how many commands are queued.
func (p *Pipeline) Len() int { return len(p.queue) }

// ExecOption varies one [Pipeline.Exec].
type ExecOption func(*execution)

// execution is what the options of one Exec ask for.
type execution struct{ firstError bool }

// FirstError lets Exec also return the error of the first command that failed, in
// the order in which they were queued. A missing value ([client.ErrNil]) is no
// failure. The results of the others are there as ever.
func FirstError() ExecOption { return func(x *execution) { x.firstError = true } }

// Exec sends what is queued and empties the queue, so that the pipeline can
// be used again. Its error means that the batch as a whole failed: what the
// commands themselves came to is in their results, see also [FirstError]. With
// nothing queued it sends nothing.
//
// More than [MaxCommands] commands or [MaxBytes] of arguments are split into
// several requests, one after another; if one fails the rest is not sent and
// their results are [ErrNotRun]. A transaction is never split. A command that
// cannot be sent, because it is over a limit or was made wrongly, fails alone;
// a transaction with such a command fails as a whole.
func (p *Pipeline) Exec(ctx context.Context, opts ...ExecOption) error {
	var x execution
	for _, o := range opts {
		o(&x)
	}
	queue := p.queue
	p.queue = nil
	if !x.firstError {
		return p.exec(ctx, queue)
	}
	if err := p.exec(ctx, slices.Clone(queue)); err != nil {
		return err
	}
	for _, e := range queue {
		if err := e.failure(); err != nil && !errors.Is(err, client.ErrNil) {
			return err
		}
	}
	return nil
}

func (p *Pipeline) exec(ctx context.Context, queue []entry) error {
	if !p.tx {
		queue = p.admit(queue)
	}
	for len(queue) > 0 {
		n := len(queue)
		if !p.tx {
			n = fit(queue)
		}
		if err := p.send(ctx, queue[:n]); err != nil {
			return err
		}
		queue = queue[n:]
	}
	return nil
}

// admit leaves out the commands that cannot be sent at all; their results say
// why. The others do not suffer for them.
func (p *Pipeline) admit(queue []entry) []entry {
	return slices.DeleteFunc(queue, func(e entry) bool {
		err := p.c.Admit(e)
		if err != nil {
			e.fail(err)
		}
		return err != nil
	})
}

// fit returns how many of the commands go into one request, at least one.
func fit(queue []entry) int {
	size := 0
	for i, e := range queue {
		for _, a := range e.Args() {
			size += len(a)
		}
		if i > 0 && (i == MaxCommands || size > MaxBytes) {
			return i
		}
	}
	return len(queue)
}

func (p *Pipeline) send(ctx context.Context, queue []entry) error {
	cmds := make([]command.Cmd, len(queue))
	for i, e := range queue {
		cmds[i] = e
	}
	run := p.c.Batch
	if p.tx {
		run = p.c.Transaction
	}
	replies, err := run(ctx, cmds...)
	for i, e := range queue {
		if err != nil {
			e.fail(err)
		} else {
			e.set(replies[i])
		}
	}
	return err
}

// Result is the reply to a queued command, there once Exec returned.
type Result[T any] struct {
	value T
	err   error
}

// Value returns the reply. The error is that of this command, of the whole
// batch if that failed, or [ErrNotRun] before Exec; a missing value is
// [client.ErrNil].
func (r *Result[T]) Value() (T, error) { return r.value, r.err }

// Err returns the error that Value returns.
func (r *Result[T]) Err() error { return r.err }

// queued is a command and its result in one piece of memory.
type queued[T any] struct {
	command.Command[T]
	result Result[T]
}

// set decodes at once, so that no result holds the whole answer alive.
func (q *queued[T]) set(reply command.Reply) {
	q.result.value, q.result.err = client.DecodeReply(q.Command, reply)
}

func (q *queued[T]) fail(err error) { q.result.err = err }

func (q *queued[T]) failure() error { return q.result.err }
