package client

import (
	"context"
	"errors"
	"time"

	"github.com/cldcde/restash/client/command"
)

// do sends a command by itself. It returns the size of the answer, too.
func do[T any](ctx context.Context, c *Client, cmd command.Command[T]) (v T, size int, err error) {
	x := &exchange{c: c, name: cmd.Name(), repeatable: cmd.Repeatable(), reads: cmd.ReadOnly(), resp2: cmd.IsVerbatim()}
	err = x.single(ctx, cmd.Args(), cmd.Err())
	if err != nil && x.one.Kind == command.KindError && isNoScript(x.one) {
		if full, ok := cmd.Fallback(); ok {
			x = &exchange{c: c, name: full.Name(), repeatable: full.Repeatable(), reads: full.ReadOnly()}
			err = x.single(ctx, full.Args(), full.Err())
		}
	}
	if err != nil {
		return v, 0, err
	}
	x.markRepeated(cmd, &x.one)
	if v, err = cmd.Decode(x.one); err != nil {
		err = x.undecodable(err)
		return *new(T), x.bytesIn, x.settle(err)
	}
	return v, x.bytesIn, x.settle(nil)
}

func isNoScript(r command.Reply) bool {
	return command.ServerError(r.Bytes).Code() == "NOSCRIPT"
}

// single runs one command and leaves the reply in x.one.
func (x *exchange) single(ctx context.Context, args []string, bad error) error {
	if err := x.c.check(x.name, args, bad); err != nil {
		return err
	}
	x.url = x.c.base
	x.resp2 = x.resp2 || x.c.cfg.Encoding == RESP2
	body, ok := appendArgs(make([]byte, 0, sizeHint(args)), args)
	x.body = body
	if ok {
		x.url.Path += "/"
	} else if err := x.binary(args); err != nil {
		return err
	}
	if err := x.send(ctx); err != nil {
		return err
	}
	if x.one.Kind == command.KindError {
		return x.refusal(ctx, x.one)
	}
	return nil
}

// refusal makes the error of an error reply.
func (x *exchange) refusal(ctx context.Context, r command.Reply) error {
	e := serverError(x.name, string(r.Bytes), x.status)
	e.Attempts, e.repeated = x.attempts, x.doubt && !x.reads
	x.c.warn(ctx, e)
	return e
}

// send runs the exchange and tells the rest of the client about it.
func (x *exchange) send(ctx context.Context) error {
	c := x.c
	if c.closed.Load() {
		return &Error{Command: x.name, Err: ErrClosed, kind: ErrClosed}
	}
	if err := ctx.Err(); err != nil {
		return &Error{Command: x.name, Err: err}
	}
	start := time.Now()
	c.thaw(ctx, start)
	c.used(start)
	ctx = c.trace.start(ctx, StartInfo{Command: x.name, Commands: max(len(x.batch), 1), Bytes: len(x.body), batch: x.batch})
	err := errUnanswered
	defer func() { x.ended(ctx, start, err) }()
	err = x.run(ctx)
	return err
}

// errUnanswered is the error of a call that something on its way ended by a panic or
// by runtime.Goexit.
var errUnanswered = errors.New("the request ended without an answer")

// ended counts a call and tells the trace of its end.
func (x *exchange) ended(ctx context.Context, start time.Time, err error) {
	c, end := x.c, time.Now()
	c.used(end)
	c.stats.latency.add(end.Sub(start))
	if err != nil {
		c.stats.failures.Add(1)
	}
	c.trace.done(ctx, DoneInfo{
		Command: x.name, Commands: max(len(x.batch), 1), Attempts: x.attempts, Status: x.status,
		BytesIn: x.bytesIn, Bytes: len(x.body), Elapsed: end.Sub(start), Err: err,
	})
}

// undecodable makes the error of a reply that the command could not read.
func (x *exchange) undecodable(err error) error {
	if err == ErrNil {
		return &Error{Command: x.name, Status: x.status, Attempts: x.attempts, Sent: SentYes, Err: ErrNil}
	}
	return decodeError(x.name, x.status, x.attempts, err)
}
