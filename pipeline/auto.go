package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// ErrClosed is the error of commands given to an [Auto] after Close.
var ErrClosed = errors.New("pipeline: closed")

// Auto lets the commands of callers that run at the same time travel
// together. It has the methods of client.Client, and any number of goroutines
// may use it.
//
// Nobody waits for company: while nothing is under way a command leaves at
// once, alone; those that come meanwhile leave together when it is answered.
// Commands leave in the order in which they came, reads and writes alike, so
// a goroutine sees its own writes. There is one request at a time, of at most
// [MaxCommands] commands or [MaxBytes] of arguments.
//
// Each caller has its own context: one that ends takes its command out of the
// queue, or if it was sent already gives up its reply; the others do not
// notice. Each has its own error. Where a request fails as a whole although
// some of its commands could safely be sent again, those are, once, without
// the others.
//
// One slow command delays what came after it. Run such commands on the client
// itself.
type Auto struct {
	c *client.Client

	mu     sync.Mutex
	queue  []*waiting
	busy   bool // a request is under way
	closed bool
	idle   chan struct{} // closed when busy ends after Close
}

// waiting is a command in the queue. Its caller waits for done.
type waiting struct {
	cmd   command.Cmd
	done  chan struct{}
	reply command.Reply
	err   error

	sent, gone bool // guarded by Auto.mu
	batch      *batch
}

// batch is a request under way for several callers.
type batch struct {
	cancel context.CancelFunc
	left   int // callers that still wait, guarded by Auto.mu
}

// NewAuto returns an Auto over c. It starts a goroutine only while commands
// wait.
func NewAuto(c *client.Client) *Auto {
	return &Auto{c: c, idle: make(chan struct{})}
}

// Do runs a command through a. The methods of [Auto] are short for it.
func Do[T any](ctx context.Context, a *Auto, cmd command.Command[T]) (T, error) {
	var zero T
	w, alone, err := a.enter(cmd)
	if err != nil {
		return zero, err
	}
	if alone {
		defer a.next()
		return client.Do(ctx, a.c, cmd)
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		return zero, a.leave(w, ctx.Err())
	}
	if w.err != nil {
		return zero, w.err
	}
	return client.DecodeReply(cmd, w.reply)
}

// Close refuses new commands and waits until those in the queue are answered,
// or ctx ends.
func (a *Auto) Close(ctx context.Context) error {
	a.mu.Lock()
	if !a.closed && !a.busy {
		close(a.idle)
	}
	a.closed = true
	a.mu.Unlock()
	select {
	case <-a.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter puts a command into the queue, or reports that its caller may send it
// alone, after which it must call next.
func (a *Auto) enter(cmd command.Cmd) (w *waiting, alone bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, false, fmt.Errorf("%w: %s", ErrClosed, cmd.Name())
	}
	if !a.busy {
		a.busy = true
		return nil, true, nil
	}
	if err := a.c.Admit(cmd); err != nil {
		if errors.Is(err, client.ErrBinary) {
			err = fmt.Errorf("%w: send it through the client itself", err)
		}
		return nil, false, err
	}
	w = &waiting{cmd: cmd, done: make(chan struct{})}
	a.queue = append(a.queue, w)
	return w, false, nil
}

// leave gives up a command whose caller's context ended.
func (a *Auto) leave(w *waiting, cause error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.gone = true
	e := &client.Error{Command: w.cmd.Name(), Err: cause}
	if w.sent {
		e.Sent, e.Attempts = client.SentUnknown, 1
		if w.batch.left--; w.batch.left == 0 {
			w.batch.cancel()
		}
	}
	return e
}

// next goes on with the queue after a request was answered.
func (a *Auto) next() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rest() {
		return
	}
	go a.run()
}

// rest ends the busy state if nothing is left. The caller holds mu.
func (a *Auto) rest() bool {
	if len(a.queue) > 0 {
		return false
	}
	a.busy = false
	if a.closed {
		close(a.idle)
	}
	return true
}

// run sends what is in the queue until that is empty. There is at most one.
func (a *Auto) run() {
	for {
		ctx, batch, members := a.take()
		if len(members) > 0 {
			a.send(ctx, members)
		}
		if batch != nil {
			batch.cancel()
		}
		a.mu.Lock()
		done := a.rest()
		a.mu.Unlock()
		if done {
			return
		}
	}
}

// take removes the next request from the queue, without those whose callers
// have gone.
func (a *Auto) take() (context.Context, *batch, []*waiting) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	b := &batch{cancel: cancel}
	members := make([]*waiting, 0, min(len(a.queue), MaxCommands))
	size, taken := 0, 0
	for _, w := range a.queue {
		if w.gone {
			taken++
			continue
		}
		for _, arg := range w.cmd.Args() {
			size += len(arg)
		}
		if len(members) > 0 && (len(members) == MaxCommands || size > MaxBytes) {
			break
		}
		w.sent, w.batch = true, b
		members = append(members, w)
		taken++
	}
	a.queue = a.queue[taken:]
	if len(a.queue) == 0 {
		a.queue = nil
	}
	b.left = len(members)
	return ctx, b, members
}

// send runs one request and answers its callers.
func (a *Auto) send(ctx context.Context, members []*waiting) {
	replies, err := a.c.Batch(ctx, commands(members)...)
	if err == nil {
		answer(members, replies)
		return
	}
	again, lost := split(members, err)
	for _, w := range lost {
		w.err = err
		close(w.done)
	}
	if len(again) == 0 {
		return
	}
	replies, err = a.c.Batch(ctx, commands(again)...)
	if err == nil {
		answer(again, replies)
		return
	}
	for _, w := range again {
		w.err = err
		close(w.done)
	}
}

// split finds the commands of a failed request that may be sent again: those
// that are repeatable, if the fate of the request is unknown because of the
// others. If all of them are, the client has tried that already.
func split(members []*waiting, err error) (again, lost []*waiting) {
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Sent != client.SentUnknown {
		return nil, members
	}
	for _, w := range members {
		if w.cmd.Repeatable() {
			again = append(again, w)
		} else {
			lost = append(lost, w)
		}
	}
	if len(lost) == 0 {
		return nil, members
	}
	return again, lost
}

func answer(members []*waiting, replies []command.Reply) {
	for i, w := range members {
		w.reply = replies[i]
		close(w.done)
	}
}

func commands(members []*waiting) []command.Cmd {
	cmds := make([]command.Cmd, len(members))
	for i, w := range members {
		cmds[i] = w.cmd
	}
	return cmds
}
