package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client/command"
)

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

// Stats are the state of an engine and its counters, which go on counting.
type Stats struct {
	All          *Counters
	Pending      int64
	Breaker      breaker.State
	BreakerCause string
	Quota        QuotaStats
	Classes      map[string]*Counters
}

// Stats returns the counters of this process.
func (e *Engine) Stats() Stats {
	st := Stats{
		All: &e.counters, Pending: int64(e.pending.len()), Breaker: e.breaker.State(), Quota: e.quotaStats(),
		Classes: map[string]*Counters{},
	}
	if cause := e.breaker.Cause(); cause != nil {
		st.BreakerCause = cause.Error()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, c := range e.classes {
		st.Classes[name] = &c.Counters
	}
	return st
}

// Stats returns the counters of all classes of this name.
func (c *Class) Stats() *Counters { return &c.stats.Counters }

// TopMisses are the keys of all classes that missed most often, at most n.
func (e *Engine) TopMisses(n int) []KeyMisses {
	var all []KeyMisses
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, c := range e.classes {
		c.missed.mu.Lock()
		for key, count := range c.missed.counts {
			all = append(all, KeyMisses{name, key, count})
		}
		c.missed.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b KeyMisses) int {
		return cmp.Or(cmp.Compare(b.Misses, a.Misses), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return all[:min(n, len(all))]
}
