package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/cldcde/restash/client/command"
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("engine: closed")

// Config says how the engine behaves. The zero value is ready for use.
type Config struct {
	Seed        uint64 // of random commands and evictions; 0 = a fixed seed, so that runs repeat
	ScriptSteps int64  // Lua instructions that one script may run; 0 = 50 million
}

// Result is the reply to one command and the number of commands that ran
// inside it (a script's).
type Result struct {
	Reply Reply
	Inner int
}

// Engine is one in-memory database. Its methods may be called at once.
type Engine struct {
	cfg Config
	hub hub

	mu     sync.Mutex // orders commands; everything below is guarded by it
	m      *miniredis.Miniredis
	out    bytes.Buffer
	w      *bufio.Writer
	peer   *server.Peer
	rnd    *rand.Rand
	closed bool

	db      *miniredis.RedisDB
	natives map[string]native // values that miniredis cannot hold

	skew         time.Duration // added to the clock by FastForward
	last         time.Time     // the time of the command under way
	endings      endings
	hasFieldEnds bool // a field of a hash had a lifetime: renamed hashes must look

	acl     acl
	scripts scriptStore
	notify  string // the setting notify-keyspace-events
	scanned []slot // the keys of the last SCAN that began
	hasJSON bool   // a JSON document was stored: string commands must look
	panics  int    // that were recovered: faults of this server
	seq     uint64
	onWrite func(seq uint64, args []string, r Reply)
}

// New returns an empty database.
func New(cfg Config) (*Engine, error) {
	if cfg.ScriptSteps == 0 {
		cfg.ScriptSteps = 50_000_000
	}
	e := &Engine{cfg: cfg, m: miniredis.NewMiniRedis(), rnd: rand.New(rand.NewPCG(cfg.Seed, 0x5eed))}
	e.hub.init()
	e.scripts.init()
	e.acl.init()
	e.m.Seed(int(cfg.Seed) + 1)
	conn, err := e.m.Dial() // starts it, with no listener
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	e.w = bufio.NewWriter(&e.out)
	e.peer = server.NewPeer(e.w)
	e.last = e.now()
	e.m.SetTime(time.UnixMilli(0))
	e.db = e.m.DB(0)
	return e, nil
}

// Close ends all subscriptions and drops the data. Closing twice is allowed.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.hub.close()
	e.scripts.close()
	e.m.Close()
	return nil
}

// Seq is the number of the last command that changed data.
func (e *Engine) Seq() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seq
}

// Panics is how many panics were recovered so far. Each is a fault of this
// server, whatever was sent.
func (e *Engine) Panics() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.panics
}

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

// call is one command on its way through the engine.
type call struct {
	ctx   context.Context
	args  []string // name first
	info  *Info
	inner int // commands that a script ran
}

// handler answers one command in Go, with the lock held.
type handler func(e *Engine, c *call) Reply

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
	if h := overlay()[c.info.Name]; h != nil {
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

// raw runs a command in miniredis. Its reply keeps its bytes.
func (e *Engine) raw(args ...string) (r Reply) {
	e.out.Reset()
	// A panic inside miniredis leaves its lock held, and every later command
	// would hang: release it and answer an error.
	defer func() {
		if p := recover(); p != nil {
			e.panics++
			e.m.TryLock()
			e.m.Unlock()
			r = errorf("ERR internal error in %s: %v", args[0], p)
		}
	}()
	e.m.Server().Dispatch(e.peer, args)
	if err := e.w.Flush(); err != nil {
		return errorf("ERR internal error: %v", err)
	}
	r, _, err := ParseRESP(bytes.Clone(e.out.Bytes()))
	if err != nil {
		return errorf("ERR internal error: %v", err)
	}
	return r
}

func isScript(in *Info) bool {
	return in.Group == "scripting" || in.Name == "FCALL" || in.Name == "FCALL_RO"
}

var _ command.Cmd = command.Command[string]{}
