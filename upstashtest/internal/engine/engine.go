package engine

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/cldcde/restash/client/command"
)

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
	cfg      Config
	hub      hub
	handlers map[string]handler // of the commands that it answers itself

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

// call is one command on its way through the engine.
type call struct {
	ctx   context.Context
	args  []string // name first
	info  *Info
	inner int // commands that a script ran
}

// handler answers one command in Go, with the lock held.
type handler func(e *Engine, c *call) Reply

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

var _ command.Cmd = command.Command[string]{}

// A cursor is a place in the order of the names' hashes: everything above it
// is still to come. So a page needs no memory of the pages before it, and what
// is there from the first page to the last is always returned, whatever comes
// and goes meanwhile. Cursors use all 64 bits, as real ones may.
type slot struct {
	at   uint64
	name string
}

// native is a value of a type that miniredis lacks, or has too little of. It
// lives beside miniredis, which holds a string with a mark under the key: so
// EXISTS, EXPIRE, RENAME, SCAN and their like need not know.
type native interface {
	kind() string
	clone() native
	parts() []string // the strings that it is made of, to tell its size
	dump() []string  // all that it holds
}
