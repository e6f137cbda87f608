package strategies

import (
	"context"
	"time"

	"github.com/cldcde/restash/breaker"
)

// HandleStats are the counters of one class of values in this process.
type HandleStats struct {
	// Hits are answers from the cache, Stale and Negative ones among them.
	Hits, Misses, Stale, Negative int64
	// Bypass are answers that did not ask the cache: off, or breaker open.
	Bypass int64
	// Errors are reads and stores that failed.
	Errors int64
	// Coalesced are answers that shared another caller's load.
	Coalesced int64
	// Refreshes of stale values, and how many of them failed.
	Refreshes, RefreshesFailed int64
	// Oversized are values that were too big to store.
	Oversized int64
	// LocalHits are hits in the process's own cache.
	LocalHits int64
	// CommandsSaved are the billed commands that sharing reads, the local cache
	// and batches made unnecessary: what one MGET per answer would have cost more.
	CommandsSaved int64
	// Commands billed and HTTP round trips. Invalidations count for the Store
	// only.
	Commands, Trips int64
	// BytesOut and BytesIn are those of entries stored and read; of a Store,
	// those of all commands and replies.
	BytesOut, BytesIn int64
	// AvgLatency, P50 and P99 are of cache reads.
	AvgLatency, P50, P99 time.Duration
}

// Stats are the counters of a Store in this process.
type Stats struct {
	HandleStats
	// Pending invalidations, not yet confirmed by Redis.
	Pending int64
	// Invalidations asked of this Store.
	Invalidations int64
	// Breaker is its state, BreakerCause the failure that opened it, "" while
	// it is closed.
	Breaker      breaker.State
	BreakerCause string
	// Disabled says that the Store always loads.
	Disabled bool
	// Handles are the counters by name.
	Handles map[string]HandleStats
}

// HitRate is Hits / (Hits + Misses), 0 if there were neither. Stale answers
// count as hits, bypassed ones as neither.
func (h HandleStats) HitRate() float64 {
	if h.Hits+h.Misses == 0 {
		return 0
	}
	return float64(h.Hits) / float64(h.Hits+h.Misses)
}

// Stats returns the counters of this process.
func (s *Store) Stats() Stats {
	e := s.engine.Stats()
	st := Stats{
		HandleStats: HandleStats(e.All), Pending: e.Pending, Invalidations: e.Invalidations,
		Breaker: e.Breaker, BreakerCause: e.BreakerCause, Disabled: !s.Enabled(),
		Handles: map[string]HandleStats{},
	}
	for name, c := range e.Classes {
		st.Handles[name] = HandleStats(c)
	}
	return st
}

// FleetStats are counters of all instances of a namespace since its first.
type FleetStats struct {
	Hits, Misses, Stale, Negative, Bypass, Errors, Commands, Trips int64
	// AvgLatency of cache reads.
	AvgLatency time.Duration
}

// HitRate is Hits / (Hits + Misses), 0 if there were neither.
func (f FleetStats) HitRate() float64 { return HandleStats{Hits: f.Hits, Misses: f.Misses}.HitRate() }

// Fleet returns the counters of all instances, and of this one what it has not
// added yet. It costs one command.
func (s *Store) Fleet(ctx context.Context) (FleetStats, error) {
	st, err := s.engine.Fleet(ctx)
	return FleetStats(st), err
}
