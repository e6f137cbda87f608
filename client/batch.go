package client

import (
	"context"
	"slices"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// Batch sends commands in one request. They run in their order, but not
// atomically: others may come between. A command that fails is a reply of
// [command.KindError], see [ReplyError]; an error means that the batch as a
// whole failed, and its Sent tells whether any of it was executed. The
// replies alias the body of the answer. No commands give no request.
//
// A batch is repeated by the transport only if each of its commands may be. The
// first command of a [command.Script] carries its source, so that none runs later
// than its place.
func (c *Client) Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error) {
	return c.batch(ctx, "pipeline", cmds)
}

// Transaction is [Client.Batch] with all commands run atomically, or none if
// the server refuses one before it starts. A command that fails while it runs
// does not undo the others.
func (c *Client) Transaction(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error) {
	return c.batch(ctx, "multi-exec", cmds)
}

// Admit returns the error with which a batch that holds cmd would be refused
// without anything being sent, or nil: cmd was made wrongly, is over a limit,
// or has an argument that JSON cannot carry.
func (c *Client) Admit(cmd command.Cmd) error {
	args := cmd.Args()
	if err := c.check(cmd.Name(), args, cmd.Err()); err != nil {
		return err
	}
	if first, _ := binaryAt(args); first >= 0 {
		return &Error{Command: cmd.Name(), kind: ErrBinary, Err: ErrBinary}
	}
	return nil
}

func (c *Client) batch(ctx context.Context, endpoint string, cmds []command.Cmd) ([]command.Reply, error) {
	if len(cmds) == 0 {
		return nil, nil
	}
	cmds = withSources(cmds)
	x := exchange{c: c, name: endpoint, batch: cmds, repeatable: true, reads: true}
	size := 2
	for _, cmd := range cmds {
		args := cmd.Args()
		if err := c.check(cmd.Name(), args, cmd.Err()); err != nil {
			return nil, err
		}
		x.repeatable = x.repeatable && cmd.Repeatable()
		x.reads = x.reads && cmd.ReadOnly()
		if v, ok := cmd.(interface{ IsVerbatim() bool }); ok && v.IsVerbatim() {
			x.resp2 = true
		}
		size += sizeHint(args) + 1
	}
	var bad int
	if x.body, bad = appendBatch(make([]byte, 0, size), cmds); bad >= 0 {
		return nil, &Error{Command: cmds[bad].Name(), kind: ErrBinary, Err: ErrBinary}
	}
	x.url = c.base
	x.url.Path += "/" + endpoint
	// A batch of one keeps to JSON: in RESP2 its framing would be ambiguous.
	x.resp2 = (x.resp2 || c.cfg.Encoding == RESP2) && endpoint == "pipeline" && len(cmds) > 1
	if err := x.send(ctx); err != nil {
		return nil, err
	}
	if x.refused != nil {
		return nil, x.refusal(ctx, *x.refused)
	}
	for i := range x.many {
		x.markRepeated(cmds[i], &x.many[i])
	}
	return x.many, nil
}

// withSources gives the first command of each [command.Script] its source: the
// server knows the script then when it comes to the next ones, and all keep their
// places. A script that it did not know would otherwise run after those behind it.
func withSources(cmds []command.Cmd) []command.Cmd {
	var known map[string]bool
	full := cmds
	for i, cmd := range cmds {
		if len(known) > 0 && strings.HasPrefix(cmd.Name(), "SCRIPT") { // FLUSH, perhaps
			clear(known)
		}
		s, ok := cmd.(interface{ Fallback() (command.Cmd, bool) })
		if !ok {
			continue
		}
		source, ok := s.Fallback()
		if !ok || known[cmd.Args()[1]] {
			continue
		}
		if known == nil {
			known, full = map[string]bool{}, slices.Clone(cmds)
		}
		known[cmd.Args()[1]], full[i] = true, source
	}
	return full
}

// DecodeReply reads a reply of [Client.Batch] or [Client.Transaction] the way
// [Do] does: error replies and replies of another shape become an [*Error], and
// one that is [ErrRepeated] comes with its value.
func DecodeReply[T any](cmd command.Command[T], r command.Reply) (T, error) {
	v, err := cmd.Decode(r)
	switch {
	case err == ErrNil:
		return v, &Error{Command: cmd.Name(), Status: 200, Attempts: 1, Sent: SentYes, Err: ErrNil, repeated: r.Repeated}
	case err != nil:
		var zero T
		e := decodeError(cmd.Name(), 200, 1, err)
		e.repeated = r.Repeated
		return zero, e
	case r.Repeated:
		return v, repeatedError(cmd.Name(), 200, 2)
	}
	return v, nil
}
