package engine

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/breaker"
)

// counters of one class or of a whole engine.
type counters struct {
	hits, stale, misses, negative, bypass atomic.Int64
	errors, coalesced, refreshes, failed  atomic.Int64
	oversized, localHits, saved           atomic.Int64
	commands, trips, bytesIn, bytesOut    atomic.Int64
	breakerChanges, invalidations         atomic.Int64
	latency                               histogram
}

// classStats is what an engine knows of the classes of one name.
type classStats struct {
	types map[string]reflect.Type // by version
	hard  time.Duration           // the longest hard timeout of a load
	mean  atomic.Int64            // bytes of an entry, lately
	said  sync.Map                // what was logged, once for all
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

func (e *Engine) register(cfg *ClassConfig) (*classStats, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.classes[cfg.Name]
	if c == nil {
		c = &classStats{types: map[string]reflect.Type{}}
		e.classes[cfg.Name] = c
	}
	if have, ok := c.types[cfg.Version]; ok && have != cfg.Type {
		return nil, fmt.Errorf("strategies: Config.Name %q is used for %s and for %s", cfg.Name, have, cfg.Type)
	}
	c.types[cfg.Version] = cfg.Type
	c.hard = max(c.hard, cfg.HardTimeout)
	return c, nil
}

// DefaultHardTimeout is the longest that a load may take where its class does
// not say.
const DefaultHardTimeout = 30 * time.Second

// longestLoad is how long a load of this engine may take.
func (e *Engine) longestLoad() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	longest := DefaultHardTimeout
	for _, c := range e.classes {
		longest = max(longest, c.hard)
	}
	return longest
}

// ClassStats are the counters of one class in this process; package strategies
// says what they count.
type ClassStats struct {
	Hits, Misses, Stale, Negative int64
	Bypass                        int64
	Errors                        int64
	Coalesced                     int64
	Refreshes, RefreshesFailed    int64
	Oversized                     int64
	LocalHits                     int64
	CommandsSaved                 int64
	Commands, Trips               int64
	BytesOut, BytesIn             int64
	AvgLatency, P50, P99          time.Duration
}

// Stats are the counters of an engine in this process.
type Stats struct {
	All                    ClassStats
	Pending, Invalidations int64
	Breaker                breaker.State
	BreakerCause           string
	Classes                map[string]ClassStats
}

// Stats returns the counters of this process.
func (e *Engine) Stats() Stats {
	st := Stats{
		All: e.counters.snapshot(), Pending: int64(e.pending.len()), Invalidations: e.counters.invalidations.Load(),
		Breaker: e.breaker.State(), Classes: map[string]ClassStats{},
	}
	if cause := e.breaker.Cause(); cause != nil {
		st.BreakerCause = cause.Error()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, c := range e.classes {
		st.Classes[name] = c.snapshot()
	}
	return st
}

// Stats returns the counters of all classes of this name.
func (c *Class) Stats() ClassStats { return c.stats.snapshot() }

func (c *counters) snapshot() ClassStats {
	mean, p50, p99 := c.latency.summary()
	return ClassStats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Stale: c.stale.Load(), Negative: c.negative.Load(),
		Bypass: c.bypass.Load(), Errors: c.errors.Load(), Coalesced: c.coalesced.Load(),
		Refreshes: c.refreshes.Load(), RefreshesFailed: c.failed.Load(), Oversized: c.oversized.Load(),
		LocalHits: c.localHits.Load(), CommandsSaved: c.saved.Load(),
		Commands: c.commands.Load(), Trips: c.trips.Load(),
		BytesOut: c.bytesOut.Load(), BytesIn: c.bytesIn.Load(),
		AvgLatency: mean, P50: p50, P99: p99,
	}
}

// charge notes what a call for this class has sent and read.
func (c *classStats) charge(spent cost, in, out int) {
	c.commands.Add(int64(spent.commands))
	c.trips.Add(int64(spent.trips))
	c.bytesIn.Add(int64(in))
	c.bytesOut.Add(int64(out))
}

// count adds to a counter of the class and of the engine.
func (c *Class) count(pick func(*counters) *atomic.Int64, n int64) {
	pick(&c.stats.counters).Add(n)
	pick(&c.e.counters).Add(n)
}

func countErrors(c *counters) *atomic.Int64    { return &c.errors }
func countCoalesced(c *counters) *atomic.Int64 { return &c.coalesced }
func countRefreshes(c *counters) *atomic.Int64 { return &c.refreshes }
func countFailed(c *counters) *atomic.Int64    { return &c.failed }
func countOversized(c *counters) *atomic.Int64 { return &c.oversized }
func countLocal(c *counters) *atomic.Int64     { return &c.localHits }
func countSaved(c *counters) *atomic.Int64     { return &c.saved }

// answered counts one answer.
func (c *Class) answered(state State, negative bool) {
	c.stats.answered(state, negative)
	c.e.counters.answered(state, negative)
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

// Say logs what is wrong with every value of the class, once for each what.
func (c *Class) Say(what, msg string, args ...any) {
	if _, said := c.stats.said.LoadOrStore(what, true); !said {
		c.e.cfg.Logger.Warn(msg, append([]any{"handle", c.cfg.Name, "type", c.cfg.Type.String()}, args...)...)
	}
}

func (c *Class) say(what, msg string, err error) { c.Say(what, msg, "error", err) }
