package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
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
	Compression  entry.Compression
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

	noMSETEX atomic.Bool // Redis was seen not to know the command
	doubted  atomic.Bool // it refused one that nobody sent again as SETs
	counters counters
	loads    Tracker

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

// New returns an engine. It touches no network.
func New(cfg Config) (*Engine, error) {
	e := &Engine{
		cfg: cfg, redis: cfg.Redis, space: cfg.Space, exec: cfg.Executor,
		log:     newLimitedLog(cfg.Logger),
		learned: newRecentMap[[]string](4096),
		failed:  newRecentMap[backoff](4096),
		classes: map[string]*classStats{},
	}
	if e.cfg.ValueLimit <= 0 {
		e.cfg.ValueLimit = math.MaxInt
	}
	e.flights = flight.NewTable[*snapshot, *outcome](e.readOne, e.loads.Go)
	if cfg.MaxLoads > 0 {
		e.slots = make(chan struct{}, cfg.MaxLoads)
	}
	policy := cfg.Breaker
	policy.OnChange = e.breakerChanged
	var err error
	e.breaker, err = breaker.New(policy)
	return e, err
}

func (e *Engine) breakerChanged(ch breaker.Change) {
	e.counters.breakerChanges.Add(1)
	args := []any{"from", ch.From.String(), "to", ch.To.String()}
	if ch.Cause != nil {
		args = append(args, "cause", ch.Cause)
	}
	e.log.warn("breaker "+ch.To.String(), "cache breaker changed", args...)
	if f := e.cfg.Breaker.OnChange; f != nil {
		f(ch)
	}
	if f := e.cfg.Trace.Breaker; f != nil {
		f(ch)
	}
}

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

// Flush waits for work behind answers and confirms what is pending, as long as
// ctx allows.
func (e *Engine) Flush(ctx context.Context) error {
	_ = e.flushPending(ctx) // it must not wait for slow loads
	return errors.Join(e.exec.Flush(ctx), e.flushPending(ctx))
}

// Close is [Engine.Flush] with more patience for what is pending, and then waits
// for loads. Calls after it load without the cache. Without a deadline it waits
// for loads as long as one may take.
func (e *Engine) Close(ctx context.Context) error {
	unbounded := ctx
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.longestLoad())
		defer cancel()
	}
	err := e.Flush(ctx)
	if errors.Is(err, ErrPending) {
		err = e.lastTry(unbounded)
	}
	err = errors.Join(err, e.flushFleet(ctx))
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	if idle := e.loads.Idle(ctx); idle != nil {
		return errors.Join(err, fmt.Errorf("strategies: close: %w", idle))
	}
	return err
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
