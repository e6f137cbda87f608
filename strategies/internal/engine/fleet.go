package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cldcde/restash/client/command"
)

// fleetEvery is how often an instance adds its counters to the fleet's.
const fleetEvery = time.Minute

// fleet keeps what this instance has already added. The sum of all instances
// is one string of 64-bit counters: BITFIELD adds to all of them with one
// billed command, and nothing grows with the number of instances.
type fleet struct {
	mu      sync.Mutex
	due     time.Time
	sending bool
	flushed [fleetFields]int64
}

// FleetStats are counters of all instances of a namespace since its first.
type FleetStats struct {
	Hits, Misses, Stale, Negative, Bypass, Errors, Commands, Trips int64
	// AvgLatency of cache reads.
	AvgLatency time.Duration
}

const fleetFields = 10

func (e *Engine) fleetCounters() [fleetFields]int64 {
	c := &e.counters
	return [fleetFields]int64{
		c.hits.Load(), c.misses.Load(), c.stale.Load(), c.negative.Load(), c.bypass.Load(), c.errors.Load(),
		c.commands.Load(), c.trips.Load(), c.latency.sum.Load() / int64(time.Microsecond), c.latency.n.Load(),
	}
}

// fleetFlush is the command that adds what is new, if it is due; done must be
// called behind it.
func (e *Engine) fleetFlush(now time.Time) (add cmd, done func(sent bool), due bool) {
	f := &e.fleet
	if !e.cfg.FleetMetrics {
		return cmd{}, nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.due.IsZero() {
		f.due = now.Add(fleetEvery)
	}
	if f.sending || now.Before(f.due) {
		return cmd{}, nil, false
	}
	current := e.fleetCounters()
	args := []string{e.space.Fleet()}
	for i, n := range current {
		if diff := n - f.flushed[i]; diff != 0 {
			args = append(args, "INCRBY", "i64", "#"+strconv.Itoa(i), strconv.FormatInt(diff, 10))
		}
	}
	if len(args) == 1 {
		return cmd{}, nil, false
	}
	f.sending = true
	return command.New(asIs, "BITFIELD", args...).Once(), func(sent bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sending = false
		f.due = now.Add(fleetEvery)
		if !sent {
			return
		}
		// A flush whose end is unknown counts as done: a count too low is
		// better than the same events twice.
		f.flushed = current
	}, true
}

// flushFleet adds what is new, whether it is due or not.
func (e *Engine) flushFleet(ctx context.Context) error {
	if !e.cfg.FleetMetrics || e.redis == nil {
		return nil
	}
	e.fleet.mu.Lock()
	e.fleet.due = time.Unix(0, 0)
	e.fleet.mu.Unlock()
	_, _, err := e.call(ctx, e.cfg.Budget)
	return err
}

// Fleet returns the counters of all instances, and of this one what it has not
// added yet. It costs one command.
func (e *Engine) Fleet(ctx context.Context) (FleetStats, error) {
	if !e.cfg.FleetMetrics || e.redis == nil {
		return FleetStats{}, ErrNoFleet
	}
	args := []string{e.space.Fleet()}
	for i := range fleetFields {
		args = append(args, "GET", "i64", "#"+strconv.Itoa(i))
	}
	replies, _, err := e.call(ctx, e.cfg.Budget, command.New(asIs, "BITFIELD", args...).Read())
	if err == nil {
		err = replies[0].err
	}
	if err != nil {
		return FleetStats{}, err
	}
	if len(replies[0].Array) != fleetFields {
		return FleetStats{}, fmt.Errorf("strategies: fleet: %w", errShort)
	}
	e.fleet.mu.Lock()
	defer e.fleet.mu.Unlock()
	sum := e.fleetCounters()
	for i, r := range replies[0].Array {
		sum[i] += r.Int - e.fleet.flushed[i]
	}
	st := FleetStats{Hits: sum[0], Misses: sum[1], Stale: sum[2], Negative: sum[3], Bypass: sum[4], Errors: sum[5],
		Commands: sum[6], Trips: sum[7]}
	if sum[9] > 0 {
		st.AvgLatency = time.Duration(sum[8]/sum[9]) * time.Microsecond
	}
	return st, nil
}
