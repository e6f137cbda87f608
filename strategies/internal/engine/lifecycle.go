package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/internal/flight"
)

// New returns an engine. It touches no network.
func New(cfg Config) (*Engine, error) {
	e := &Engine{
		cfg: cfg, redis: cfg.Redis, space: cfg.Space, exec: cfg.Executor,
		log:     newLimitedLog(cfg.Logger),
		learned: newRecentMap[[]string](4096),
		failed:  newRecentMap[backoff](4096),
		classes: map[string]*classStats{},
		quota:   newQuota(cfg.Quota),
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

// Flush waits for the work that answers have left behind so far and confirms what
// is pending, as long as ctx allows.
func (e *Engine) Flush(ctx context.Context) error {
	_ = e.flushPending(ctx) // it must not wait for slow loads
	err := e.exec.Flush(ctx)
	if e.cfg.Audit > 0 && err == nil {
		err = e.exec.Flush(ctx) // what an audit has found it looks at once more, in work of its own
	}
	return errors.Join(err, e.stores.Idle(ctx), e.flushPending(ctx))
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
	for _, under := range []*Tracker{&e.loads, &e.stores} {
		if idle := under.Idle(ctx); idle != nil {
			return errors.Join(err, fmt.Errorf("strategies: close: %w", idle))
		}
	}
	return err
}

// Stored waits until what is being stored behind answers now is there, within the
// budget: for those who look at what Redis holds.
func (e *Engine) Stored(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.share(ctx))
	defer cancel()
	_ = e.stores.Idle(ctx)
}

// lastTryFor bounds [Engine.Close] where its caller does not.
const lastTryFor = 5 * time.Second

// lastTry sends what is pending until Redis confirms it or ctx ends. Nothing
// comes after it, so an open breaker does not hold it back.
func (e *Engine) lastTry(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lastTryFor)
		defer cancel()
	}
	for {
		e.breaker.Reset()
		err := e.flushPending(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}
