package client

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/cldcde/restash/client/command"
)

// What one shared request carries at most, and how many there are at once.
const (
	maxShared      = 1000
	maxSharedBytes = 1 << 20 // of arguments, and of the replies that are expected
	maxFlights     = 4
	// A command with larger arguments, or such a reply, has little to gain and
	// would hold up the small ones: it travels by itself.
	maxPassenger = 16 << 10
)

// coalescer lets the commands of callers that run at the same time share
// requests. Nobody waits for company while nothing is under way: a command then
// leaves at once, alone. Those that come meanwhile leave together when it is
// answered, or when it takes longer than requests took lately.
type coalescer struct {
	c *Client

	mu      sync.Mutex
	queue   []*passenger
	bytes   int // of arguments and expected replies in the queue
	flights int
	late    *time.Timer    // runs while somebody waits for a flight
	trip    time.Duration  // what flights took lately
	sizes   map[string]int // of replies lately, by the command's name
}

// passenger is a command whose caller waits for done.
type passenger struct {
	cmd   command.Cmd
	size  int
	done  chan struct{}
	reply command.Reply
	err   error

	// Guarded by coalescer.mu.
	gone     bool
	flight   *flight
	answered bool
}

// flight is a request under way for several callers. It is given up when all
// of them are gone.
type flight struct {
	cancel  context.CancelFunc
	waiting int
}

func newCoalescer(c *Client) *coalescer {
	return &coalescer{c: c, trip: minTrip, sizes: map[string]int{}}
}

// Bounds of how long a command waits for a flight before there is another.
const (
	minTrip = time.Millisecond
	maxTrip = 250 * time.Millisecond
)

// coalesced is [Do] of a client whose callers share requests.
func coalesced[T any](ctx context.Context, q *coalescer, cmd command.Command[T]) (T, error) {
	size, by := q.admit(cmd)
	if !by {
		return alone(ctx, q, cmd)
	}
	p := q.enter(cmd, size)
	if p == nil {
		start := time.Now()
		defer func() { q.landed(time.Since(start)) }()
		return alone(ctx, q, cmd)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return *new(T), q.leave(p, ctx.Err())
	}
	if p.err != nil {
		return *new(T), p.err
	}
	return DecodeReply(cmd, p.reply)
}

// alone sends cmd by itself and remembers how long its answer was.
func alone[T any](ctx context.Context, q *coalescer, cmd command.Command[T]) (T, error) {
	v, size, err := do(ctx, q.c, cmd)
	if err == nil {
		q.mu.Lock()
		q.learn(cmd.Name(), size)
		q.mu.Unlock()
	}
	return v, err
}

// admit reports whether cmd may share a request, and how many bytes it and its
// reply are expected to take there.
func (q *coalescer) admit(cmd command.Cmd) (size int, ok bool) {
	for _, a := range cmd.Args() {
		size += len(a)
	}
	if size > maxPassenger || q.c.Admit(cmd) != nil {
		return size, false // what is wrong with it, its own call tells
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	size += q.sizes[cmd.Name()]
	return size, size <= maxPassenger
}

// learn notes the size of a reply: a larger one counts at once, smaller ones
// bring the number down by and by. The caller holds mu.
func (q *coalescer) learn(name string, size int) {
	if was := q.sizes[name]; size < was {
		size = was - (was-size+7)/8
	}
	q.sizes[name] = size
}

// enter puts a command into the queue, or returns nil: its caller may send it
// alone, and then calls landed.
func (q *coalescer) enter(cmd command.Cmd, size int) *passenger {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.flights == 0 {
		q.flights = 1
		return nil
	}
	p := &passenger{cmd: cmd, size: size, done: make(chan struct{})}
	q.queue = append(q.queue, p)
	q.bytes += size
	if full := len(q.queue) >= maxShared || q.bytes >= maxSharedBytes; full && q.flights < maxFlights {
		q.flights++
		q.depart()
	} else if q.late == nil {
		q.late = time.AfterFunc(q.patience(), q.overdue)
	}
	return p
}

func (q *coalescer) patience() time.Duration { return min(max(2*q.trip, minTrip), maxTrip) }

// overdue starts another flight for those who waited longer than a flight
// takes.
func (q *coalescer) overdue() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.late = nil
	if len(q.queue) == 0 || q.flights >= maxFlights {
		return // whoever lands next takes them along
	}
	q.flights++
	q.depart()
}

// leave gives up a command whose caller's context ended.
func (q *coalescer) leave(p *passenger, cause error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.gone = true
	e := &Error{Command: p.cmd.Name(), Err: cause}
	if p.flight != nil {
		e.Sent, e.Attempts, e.kind = SentUnknown, 1, ErrTransport
		if p.flight.waiting--; p.flight.waiting == 0 {
			p.flight.cancel()
		}
	}
	return e
}

// landed goes on with the queue after a command that was sent alone.
func (q *coalescer) landed(took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.learnTrip(took)
	q.depart()
}

// learnTrip moves the usual time a quarter of the way. The caller holds mu.
func (q *coalescer) learnTrip(took time.Duration) { q.trip += (took - q.trip) / 4 }

// depart uses a flight for what is in the queue, or ends it if that is empty. The
// caller holds mu.
func (q *coalescer) depart() {
	if ctx, members := q.board(); len(members) > 0 {
		go q.fly(ctx, members)
		return
	}
	q.flights--
}

// fly sends one shared request.
func (q *coalescer) fly(ctx context.Context, members []*passenger) {
	start := time.Now()
	defer func() { q.arrived(members, time.Since(start)) }()
	q.send(ctx, members)
	// Callers that were just answered often ask again at once: they come along
	// with the next request if they are given the processor now.
	runtime.Gosched()
}

// board takes the next request out of the queue, without those whose callers
// have gone. The caller holds mu.
func (q *coalescer) board() (context.Context, []*passenger) {
	var members []*passenger
	size, taken := 0, 0
	for _, p := range q.queue {
		if len(members) > 0 && !p.gone && (len(members) == maxShared || size+p.size > maxSharedBytes) {
			break
		}
		taken++
		if !p.gone {
			members, size = append(members, p), size+p.size
		}
	}
	q.drop(taken)
	if len(members) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &flight{cancel: cancel, waiting: len(members)}
	for _, p := range members {
		p.flight = f
	}
	return ctx, members
}

// drop removes the first n of the queue. The caller holds mu.
func (q *coalescer) drop(n int) {
	for _, p := range q.queue[:n] {
		q.bytes -= p.size
	}
	q.queue = q.queue[n:]
	if len(q.queue) == 0 {
		q.queue = nil
		if q.late != nil {
			q.late.Stop()
			q.late = nil
		}
	}
}

// arrived goes on with the queue. Before that it answers whoever was left without
// an answer, which is when something that was called on the way panicked or ended
// the goroutine.
func (q *coalescer) arrived(members []*passenger, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.learnTrip(took)
	for _, p := range members {
		if !p.answered {
			p.err = &Error{Command: p.cmd.Name(), Attempts: 1, Sent: SentUnknown, Err: errUnanswered, kind: ErrTransport}
			close(p.done)
		}
	}
	members[0].flight.cancel()
	q.depart()
}

// send runs one request and answers its callers.
func (q *coalescer) send(ctx context.Context, members []*passenger) {
	replies, err := q.c.Batch(ctx, commandsOf(members)...)
	if err == nil {
		q.answer(members, replies)
		return
	}
	again, lost := split(members, err)
	q.fail(lost, err)
	if len(again) == 0 {
		return
	}
	if replies, err = q.c.Batch(ctx, commandsOf(again)...); err != nil {
		q.fail(again, err)
		return
	}
	for i, p := range again {
		markRepeated(p.cmd, &replies[i])
	}
	q.answer(again, replies)
}

// split finds the commands of a failed request that may be sent again: those
// that are repeatable, if the fate of the request is unknown because of the
// others. If all of them are, the client has tried that already.
func split(members []*passenger, err error) (again, lost []*passenger) {
	if e, ok := errors.AsType[*Error](err); !ok || e.Sent != SentUnknown {
		return nil, members
	}
	for _, p := range members {
		if p.cmd.Repeatable() {
			again = append(again, p)
		} else {
			lost = append(lost, p)
		}
	}
	if len(lost) == 0 {
		return nil, members
	}
	return again, lost
}

func (q *coalescer) answer(members []*passenger, replies []command.Reply) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, p := range members {
		q.learn(p.cmd.Name(), replySize(replies[i]))
		p.reply, p.answered = replies[i], true
		close(p.done)
	}
}

func (q *coalescer) fail(members []*passenger, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range members {
		p.err, p.answered = err, true
		if e, ok := errors.AsType[*Error](err); ok {
			own := *e
			own.Command = p.cmd.Name()
			p.err = &own
		}
		close(p.done)
	}
}

func replySize(r command.Reply) int {
	n := len(r.Bytes) + 16
	for _, e := range r.Array {
		n += replySize(e)
	}
	return n
}

func commandsOf(members []*passenger) []command.Cmd {
	cmds := make([]command.Cmd, len(members))
	for i, p := range members {
		cmds[i] = p.cmd
	}
	return cmds
}
