package engine

import (
	"math/bits"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

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

// counters of one class or of a whole engine.
type counters struct {
	hits, stale, misses, negative, bypass atomic.Int64
	errors, coalesced, refreshes, failed  atomic.Int64
	oversized, localHits, saved           atomic.Int64
	audited, outdated, outdatedAge, shed  atomic.Int64
	commands, trips, bytesIn, bytesOut    atomic.Int64
	breakerChanges, invalidations         atomic.Int64
	latency, loads                        histogram // of reads, of loaders
}

// classStats is what an engine knows of the classes of one name.
type classStats struct {
	types  map[string]reflect.Type // by version
	hard   time.Duration           // the longest hard timeout of a load
	mean   atomic.Int64            // bytes of an entry, lately
	said   sync.Map                // what was logged, once for all
	missed topKeys
	counters
}

// expect learns from the size of an entry that was read.
func (c *classStats) expect(size int) {
	mean := c.mean.Load()
	c.mean.Store(mean + (int64(size)-mean)/8)
}

// expected is how many entries fit into so many bytes.
func (c *classStats) expected(bytes int) int {
	return max(bytes/int(max(c.mean.Load(), 1)), 1)
}

func (c *counters) snapshot() ClassStats {
	mean, p50, p99 := c.latency.summary()
	load, load50, load99 := c.loads.summary()
	return ClassStats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Stale: c.stale.Load(), Negative: c.negative.Load(),
		Bypass: c.bypass.Load(), Errors: c.errors.Load(), Coalesced: c.coalesced.Load(),
		Refreshes: c.refreshes.Load(), RefreshesFailed: c.failed.Load(), Oversized: c.oversized.Load(),
		Audited: c.audited.Load(), Outdated: c.outdated.Load(), OutdatedAge: time.Duration(c.outdatedAge.Load() / max(c.outdated.Load(), 1)),
		Shed: c.shed.Load(), LocalHits: c.localHits.Load(), CommandsSaved: c.saved.Load(),
		Commands: c.commands.Load(), Trips: c.trips.Load(),
		BytesOut: c.bytesOut.Load(), BytesIn: c.bytesIn.Load(),
		AvgLatency: mean, P50: p50, P99: p99,
		AvgLoad: load, LoadP50: load50, LoadP99: load99,
	}
}

// charge notes what a call for this class has sent and read.
func (c *classStats) charge(spent cost, in, out int) {
	c.commands.Add(int64(spent.commands))
	c.trips.Add(int64(spent.trips))
	c.bytesIn.Add(int64(in))
	c.bytesOut.Add(int64(out))
}

func (c *counters) answered(state State, negative bool) {
	switch state {
	case Hit:
		c.hits.Add(1)
	case Stale:
		c.hits.Add(1)
		c.stale.Add(1)
	case Bypass:
		c.bypass.Add(1)
	default:
		c.misses.Add(1)
	}
	if negative {
		c.negative.Add(1)
	}
}

func countErrors(c *counters) *atomic.Int64 { return &c.errors }

func countCoalesced(c *counters) *atomic.Int64 { return &c.coalesced }

func countRefreshes(c *counters) *atomic.Int64 { return &c.refreshes }

func countFailed(c *counters) *atomic.Int64 { return &c.failed }

func countOversized(c *counters) *atomic.Int64 { return &c.oversized }

func countLocal(c *counters) *atomic.Int64 { return &c.localHits }

func countSaved(c *counters) *atomic.Int64 { return &c.saved }

func countAudited(c *counters) *atomic.Int64 { return &c.audited }

func countOutdated(c *counters) *atomic.Int64 { return &c.outdated }

func countShed(c *counters) *atomic.Int64 { return &c.shed }

func countOutdatedAge(c *counters) *atomic.Int64 { return &c.outdatedAge }

// ClassStats are the counters of one class in this process; package strategies
// says what they count.
type ClassStats struct {
	Hits, Misses, Stale, Negative int64
	Bypass                        int64
	Errors                        int64
	Coalesced                     int64
	Refreshes, RefreshesFailed    int64
	Oversized                     int64
	Audited, Outdated             int64
	OutdatedAge                   time.Duration
	Shed                          int64
	LocalHits                     int64
	CommandsSaved                 int64
	Commands, Trips               int64
	BytesOut, BytesIn             int64
	AvgLatency, P50, P99          time.Duration
	AvgLoad, LoadP50, LoadP99     time.Duration
}

// fleetEvery is how often an instance adds its counters to the fleet's, at most.
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

const (
	fleetFields   = 10
	fleetCommands = 6 // the field that quotas need
)
