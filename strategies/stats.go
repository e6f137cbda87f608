package strategies

import (
	"fmt"
	"math/bits"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/breaker"
)

// counters of one handle or of a whole Store.
type counters struct {
	hits, stale, misses, negative, bypass atomic.Int64
	errors, coalesced, refreshes, failed  atomic.Int64
	oversized, localHits, saved           atomic.Int64
	commands, trips, bytesIn, bytesOut    atomic.Int64
	breakerChanges, invalidations         atomic.Int64
	latency                               histogram
}

// handle is what a Store knows of the handles of one name.
type handle struct {
	name  string
	types map[string]reflect.Type // by fingerprint
	hard  time.Duration           // the longest hard timeout of a load
	mean  atomic.Int64            // bytes of an entry, lately
	said  sync.Map                // what was logged, once for all
	counters
}

// expect learns from the size of an entry that was read.
func (h *handle) expect(size int) {
	mean := h.mean.Load()
	h.mean.Store(mean + (int64(size)-mean)/8)
}

// expected is how many entries fit into so many bytes.
func (h *handle) expected(bytes int) int {
	return max(bytes/int(max(h.mean.Load(), 1)), 1)
}

func (s *Store) handle(name, fp string, typ reflect.Type, hard time.Duration) (*handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.handles[name]
	if h == nil {
		h = &handle{name: name, types: map[string]reflect.Type{}}
		s.handles[name] = h
	}
	if have, ok := h.types[fp]; ok && have != typ {
		return nil, fmt.Errorf("strategies: Config.Name %q is used for %s and for %s", name, have, typ)
	}
	h.types[fp] = typ
	h.hard = max(h.hard, hard)
	return h, nil
}

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
	c := &s.counters
	st := Stats{
		HandleStats: c.snapshot(),
		Pending:     int64(s.pending.len()), Invalidations: c.invalidations.Load(),
		Breaker: s.breaker.State(), Disabled: !s.Enabled(),
		Handles: map[string]HandleStats{},
	}
	if cause := s.breaker.Cause(); cause != nil {
		st.BreakerCause = cause.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, h := range s.handles {
		st.Handles[name] = h.snapshot()
	}
	return st
}

func (c *counters) snapshot() HandleStats {
	mean, p50, p99 := c.latency.summary()
	return HandleStats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Stale: c.stale.Load(), Negative: c.negative.Load(),
		Bypass: c.bypass.Load(), Errors: c.errors.Load(), Coalesced: c.coalesced.Load(),
		Refreshes: c.refreshes.Load(), RefreshesFailed: c.failed.Load(), Oversized: c.oversized.Load(),
		LocalHits: c.localHits.Load(), CommandsSaved: c.saved.Load(),
		Commands: c.commands.Load(), Trips: c.trips.Load(),
		BytesOut: c.bytesOut.Load(), BytesIn: c.bytesIn.Load(),
		AvgLatency: mean, P50: p50, P99: p99,
	}
}

// charge notes what a call for this handle has sent and read.
func (h *handle) charge(c cost, in, out int) {
	h.commands.Add(int64(c.commands))
	h.trips.Add(int64(c.trips))
	h.bytesIn.Add(int64(in))
	h.bytesOut.Add(int64(out))
}

// count adds to a counter of the handle and of the Store.
func (c *Cache[T]) count(pick func(*counters) *atomic.Int64, n int64) {
	pick(&c.stats.counters).Add(n)
	pick(&c.store.counters).Add(n)
}

func countErrors(c *counters) *atomic.Int64    { return &c.errors }
func countCoalesced(c *counters) *atomic.Int64 { return &c.coalesced }
func countRefreshes(c *counters) *atomic.Int64 { return &c.refreshes }
func countFailed(c *counters) *atomic.Int64    { return &c.failed }
func countOversized(c *counters) *atomic.Int64 { return &c.oversized }
func countLocal(c *counters) *atomic.Int64     { return &c.localHits }
func countSaved(c *counters) *atomic.Int64     { return &c.saved }

// answered counts one answer.
func (c *Cache[T]) answered(state State, negative bool) {
	for _, n := range []*counters{&c.stats.counters, &c.store.counters} {
		switch state {
		case Hit:
			n.hits.Add(1)
		case Stale:
			n.hits.Add(1)
			n.stale.Add(1)
		case Bypass:
			n.bypass.Add(1)
		default:
			n.misses.Add(1)
		}
		if negative {
			n.negative.Add(1)
		}
	}
}

// histogram counts durations in buckets of an eighth of a power of two, from
// a microsecond to some hours.
type histogram struct {
	sum, n  atomic.Int64
	buckets [256]atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	us := max(d.Microseconds(), 0)
	h.sum.Add(int64(max(d, 0)))
	h.n.Add(1)
	h.buckets[bucketOf(uint64(us))].Add(1)
}

func bucketOf(us uint64) int {
	if us < 8 {
		return int(us)
	}
	exp := bits.Len64(us) - 4
	return min(exp*8+int(us>>exp), 255)
}

func bucketStart(i int) time.Duration {
	if i < 16 {
		return time.Duration(i) * time.Microsecond
	}
	exp := i/8 - 1
	return time.Duration(uint64(i-exp*8)<<exp) * time.Microsecond
}

func (h *histogram) summary() (mean, p50, p99 time.Duration) {
	n := h.n.Load()
	if n == 0 {
		return 0, 0, 0
	}
	mean = time.Duration(h.sum.Load() / n)
	seen := int64(0)
	for i := range h.buckets {
		seen += h.buckets[i].Load()
		if p50 == 0 && seen*2 >= n {
			p50 = bucketStart(i + 1)
		}
		if seen*100 >= n*99 {
			return mean, p50, bucketStart(i + 1)
		}
	}
	return mean, p50, p99
}
