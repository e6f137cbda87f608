package engine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// Redis is all that the engine asks of a database. An error means that the
// request as a whole failed.
type Redis interface {
	Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error)
}

// Executor runs what is left to do after an answer.
type Executor interface {
	Submit(work func()) bool
	Wait() time.Duration
	Flush(ctx context.Context) error
}

// Config sets up an [Engine]. All that is not said to be optional must be there.
type Config struct {
	// Redis is nil for an engine that always loads.
	Redis     Redis
	Space     keyspace.Space
	Budget    time.Duration
	Breaker   breaker.Config
	Executor  Executor
	Soft      bool
	Strict    bool
	SourceLag time.Duration
	// MaxLoads is 0 for no bound.
	MaxLoads int
	// InlineBudget is what a refresh in its caller's goroutine may take where
	// the Executor's callers do not wait.
	InlineBudget time.Duration
	// Local is optional.
	Local        Local
	FleetMetrics bool
	// Audit is one in how many hits is checked against its loader, 0 for none.
	Audit       int
	Quota       Quota
	Compression entry.Compression
	// ValueLimit is the most bytes of an entry, 0 for no limit.
	ValueLimit int
	Logger     *slog.Logger
	Trace      Trace
	Disabled   bool
	// Panicked makes the error of a panic in a user's code.
	Panicked func(value any) error
}

// Trace hears of single events; each function is optional.
type Trace struct {
	Answer  func(class, key string, status Status, took time.Duration)
	Load    func(class, key string, refresh bool, took time.Duration, err error)
	Breaker func(change breaker.Change)
	// Outdated is called for each hit that an audit found to be outdated.
	Outdated func(class, key string, age time.Duration)
}

// Engine is one cache in Redis. It is safe for concurrent use.
type Engine struct {
	cfg     Config
	redis   Redis
	space   keyspace.Space
	breaker *breaker.Breaker
	exec    Executor
	log     *limitedLog
	flights *table
	pending pendingTokens
	learned *recentMap[[]string]
	failed  *recentMap[backoff]
	slots   chan struct{} // MaxLoads
	fleet   fleet
	quota   *quota

	noMSETEX atomic.Bool // Redis was seen not to know the command
	doubted  atomic.Bool // it refused one that nobody sent again as SETs
	counters Counters
	loads    Tracker
	stores   Tracker // behind answers

	mu       sync.Mutex
	classes  map[string]*classStats
	lastCall time.Time
	closed   bool
}

// What is shared between callers: a snapshot and a load's outcome.
type (
	table  = flight.Table[*snapshot, *outcome]
	read   = flight.Read[*snapshot, *outcome]
	load   = flight.Load[*snapshot, *outcome]
	ticket = flight.Ticket[*snapshot, *outcome]
	work   = flight.Work[*snapshot, *outcome]
)

// Enabled reports whether the engine caches at all.
func (e *Engine) Enabled() bool { return e.redis != nil && !e.cfg.Disabled }

func (e *Engine) off() bool {
	if !e.Enabled() {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// thaw notices that the process was frozen since its last call: what the
// breaker and the local cache knew is out of date.
func (e *Engine) thaw() {
	now := time.Now()
	e.mu.Lock()
	before := e.lastCall
	e.lastCall = now
	e.mu.Unlock()
	if before.IsZero() || !client.Frozen(before, now) {
		return
	}
	e.breaker.Reset()
	if e.cfg.Local != nil {
		e.cfg.Local.Clear()
	}
}

// outcome is what a load hands to those who wait for it.
type outcome struct {
	value     any
	body      []byte // encoded, where each caller gets a value of its own
	stored    bool
	storing   bool // behind the answer
	oversized bool
	ttl       time.Duration
	size      int  // of the stored entry, in bytes
	cost      Cost // of the whole run, at its first load
	cacheErr  error
}

// LocalKey names a value of a process.
type LocalKey struct{ Handle, Version, Key, Variant string }

// LocalValue is a decoded value; package strategies says what its fields are.
type LocalValue struct {
	Value           any
	Tokens          []string
	StoredAt, Fresh time.Time
	Size            int
	Unchecked       bool
}

// Local is a cache in the process, asked before Redis.
type Local interface {
	Get(key LocalKey) (LocalValue, bool)
	Stamp() uint64
	Put(key LocalKey, v LocalValue, stamp uint64)
	Void(tokens []string)
	Clear()
}

// void makes loads and local values that depend on the tokens unusable.
func (e *Engine) void(keys []string) {
	e.flights.Void(keys)
	if e.cfg.Local != nil {
		e.cfg.Local.Void(keys)
	}
}

// DefaultHardTimeout is the longest that a load may take where its class does
// not say.
const DefaultHardTimeout = 30 * time.Second
