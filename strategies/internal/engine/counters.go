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

// Counter names one of the things that are counted; package strategies says
// what they are.
type Counter int

// What is counted, of a class and of the whole engine.
const (
	CountHits Counter = iota
	CountStale
	CountMisses
	CountNegative
	CountBypass
	CountErrors
	CountCoalesced
	CountRefreshes
	CountRefreshesFailed
	CountOversized
	CountLocalHits
	CountCommandsSaved
	CountAudited
	CountOutdated
	CountOutdatedAge // nanoseconds, of all of them
	CountShed
	CountCommands
	CountTrips
	CountBytesIn
	CountBytesOut
	CountInvalidations // of the engine only

	countersEnd
)

// Counters are those of one class or of a whole engine.
type Counters struct {
	counts [countersEnd]atomic.Int64
	// of cache reads, of runs of a loader
	reads, loads histogram
}

// Count returns one counter.
func (c *Counters) Count(what Counter) int64 { return c.counts[what].Load() }

// Reads returns how long cache reads took.
func (c *Counters) Reads() (mean, p50, p99 time.Duration) { return c.reads.summary() }

// Loads returns how long runs of a loader took.
func (c *Counters) Loads() (mean, p50, p99 time.Duration) { return c.loads.summary() }

func (c *Counters) add(what Counter, n int64) { c.counts[what].Add(n) }

// classStats is what an engine knows of the classes of one name.
type classStats struct {
	types  map[string]reflect.Type // by version
	hard   time.Duration           // the longest hard timeout of a load
	mean   atomic.Int64            // bytes of an entry, lately
	said   sync.Map                // what was logged, once for all
	missed topKeys
	Counters
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

// charge notes what a call has sent and read.
func (c *Counters) charge(spent Cost, in, out int) {
	c.add(CountCommands, int64(spent.Commands))
	c.add(CountTrips, int64(spent.Trips))
	c.add(CountBytesIn, int64(in))
	c.add(CountBytesOut, int64(out))
}

func (c *Counters) answered(state State, negative bool) {
	switch state {
	case Hit:
		c.add(CountHits, 1)
	case Stale:
		c.add(CountHits, 1)
		c.add(CountStale, 1)
	case Bypass:
		c.add(CountBypass, 1)
	default:
		c.add(CountMisses, 1)
	}
	if negative {
		c.add(CountNegative, 1)
	}
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
