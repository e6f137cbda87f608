package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/hashicorp/go-retryablehttp"
)

// Client sends commands to one database. It may be used by any number of
// goroutines at once, and should live as long as the process: it keeps
// connections, TLS sessions and the sync token.
type Client struct {
	cfg       Config
	base      url.URL
	token     secret
	telemetry telemetry
	retry     *retryablehttp.Client
	streams   *http.Client
	dropIdle  func()
	trace     *Trace
	sync      syncToken
	stats     counters
	lastUse   atomic.Int64 // wall clock, in ns
	lastWarn  atomic.Int64 // wall clock, in ns
	closed    atomic.Bool
	life      context.Context // ends with Close; streams listen to it
	end       context.CancelFunc
	shared    *coalescer // nil if callers share no requests
}

// New returns a client for the database of cfg. It makes no connection; an
// error names the field of cfg that is wrong.
func New(cfg Config) (*Client, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg.withDefaults(), base: *base, trace: cfg.Trace, telemetry: newTelemetry(cfg), token: newSecret(cfg.Token)}
	c.life, c.end = context.WithCancel(context.Background())
	c.cfg.Token = "" // kept where nothing prints it
	calls, streams, dropIdle := httpClients(c.cfg)
	c.retry, c.streams, c.dropIdle = newRetrying(calls, c.cfg.MaxRetries), streams, dropIdle
	if cfg.Coalesce {
		c.shared = newCoalescer(c)
	}
	return c, nil
}

// Close drops the idle connections and refuses later calls with [ErrClosed].
// Calls under way go on; streams and commands that
// wait for a common request, see [Config].Coalesce, end with it. It always returns nil.
func (c *Client) Close() error {
	c.closed.Store(true)
	c.end()
	c.dropIdle()
	return nil
}

// Do runs one command and returns its typed reply.
func Do[T any](ctx context.Context, c *Client, cmd command.Command[T]) (T, error) {
	if c.shared != nil {
		return coalesced(ctx, c.shared, cmd)
	}
	v, _, err := do(ctx, c, cmd)
	return v, err
}

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
