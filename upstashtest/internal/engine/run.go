package engine

import (
	"context"
)

// Do runs one command. The error is ErrClosed or nil: what Redis refuses is
// an error reply.
func (e *Engine) Do(ctx context.Context, args []string) (Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return Result{}, ErrClosed
	}
	if err := Check(args); isError(err) {
		return Result{Reply: err}, nil
	}
	e.tick()
	return e.top(ctx, args), nil
}

// Transaction runs cmds with nothing in between. When one of them cannot be
// run at all, none is and the error reply says why.
func (e *Engine) Transaction(ctx context.Context, cmds [][]string) ([]Result, Reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, nilReply, ErrClosed
	}
	for _, args := range cmds {
		if r := Check(args); isError(r) {
			return nil, errorf("EXECABORT Transaction discarded because of: %s", r.Bytes), nil
		}
	}
	e.tick()
	results := make([]Result, len(cmds))
	for i, args := range cmds {
		results[i] = e.top(ctx, args)
	}
	return results, nilReply, nil
}

// Check reports as an error reply why args could not run whatever the data
// is: a name that REST does not serve, a form that waits, or a wrong number of
// words. Otherwise it is a nil reply.
func Check(args []string) Reply {
	in, name := Lookup(args)
	switch {
	case in == nil:
		return Unavailable(name)
	case !in.arityOK(len(args)):
		return wrongArity(in.Name)
	case !in.REST || waits(in, args):
		return Unavailable(in.Name)
	}
	return nilReply
}

// waits reports the forms of reading a stream that wait at the server.
func waits(in *Info, args []string) bool {
	if in.Name != "XREAD" && in.Name != "XREADGROUP" {
		return false
	}
	for _, a := range args[1:] {
		switch upper(a) {
		case "BLOCK":
			return true
		case "STREAMS":
			return false
		}
	}
	return false
}

func (e *Engine) top(ctx context.Context, args []string) Result {
	c := &call{ctx: ctx, args: args}
	e.hub.monitor(e.now(), args)
	r := e.run(c)
	return Result{Reply: r, Inner: c.inner}
}

// run executes a command that passed Check. The lock is held.
func (e *Engine) run(c *call) Reply {
	c.info, _ = Lookup(c.args)
	undo := e.documents(c)
	r := e.answer(c)
	if isError(r) {
		undo()
	}
	if c.info.Write && !isScript(c.info) {
		e.settle(c.info.Keys(c.args))
	}
	if c.info.Write && !isError(r) && !isScript(c.info) {
		e.seq++
		if e.onWrite != nil {
			e.onWrite(e.seq, c.args, r)
		}
		e.notifyWrite(c, r)
	}
	return r
}

func (e *Engine) answer(c *call) Reply {
	if h := e.handlers[c.info.Name]; h != nil {
		return h(e, c)
	}
	return e.plain(c)
}

// do runs a command on behalf of another one.
func (e *Engine) do(args ...string) Reply {
	c := &call{args: args}
	c.info, _ = Lookup(args)
	return e.answer(c)
}

func isScript(in *Info) bool {
	return in.Group == "scripting" || in.Name == "FCALL" || in.Name == "FCALL_RO"
}
