package route

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/strategies"
)

// Sample are the totals of a Store at one time, of its functions and routes alike.
type Sample struct {
	At                                  time.Time
	Hits, Stale, Misses, Bypass, Errors int64 // Hits without the stale ones
	Commands, CommandsSaved             int64
	// LoadTimeSaved is what the loaders would have taken for the answers that came
	// from the cache.
	LoadTimeSaved time.Duration
	Breaker       string
}

// Sub is what happened between an earlier sample and s.
func (s Sample) Sub(earlier Sample) Sample {
	s.Hits -= earlier.Hits
	s.Stale -= earlier.Stale
	s.Misses -= earlier.Misses
	s.Bypass -= earlier.Bypass
	s.Errors -= earlier.Errors
	s.Commands -= earlier.Commands
	s.CommandsSaved -= earlier.CommandsSaved
	s.LoadTimeSaved -= earlier.LoadTimeSaved
	return s
}

const (
	// sampleEvery is the time between two samples, keptSamples how many are kept:
	// those of a quarter of an hour.
	sampleEvery = 5 * time.Second
	keptSamples = 180
)

// History are samples of the last minutes. No goroutine takes them: requests do,
// and whoever looks at them; meanwhile nothing changes that they could miss but
// the calls of functions, which the next sample has.
type History struct {
	due     atomic.Int64 // when the next one is to be taken, in Unix nanoseconds
	mu      sync.Mutex
	samples []Sample
	day     Sample // the first one of the day, by UTC
}

// tick takes a sample if it is time.
func (h *History) tick(store *strategies.Store, now time.Time) {
	due := h.due.Load()
	if now.UnixNano() >= due && h.due.CompareAndSwap(due, now.Add(sampleEvery).UnixNano()) {
		h.add(Totals(store, now))
	}
}

func (h *History) add(s Sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.day.At.IsZero() {
		h.day = Sample{At: s.At} // the process is younger than the day, or has done nothing yet
	} else if day(h.day.At) != day(s.At) {
		h.day = s
	}
	if len(h.samples) == keptSamples {
		h.samples = slices.Delete(h.samples, 0, 1)
	}
	h.samples = append(h.samples, s)
}

func day(t time.Time) int64 { return t.Unix() / int64(24*time.Hour/time.Second) }

// Totals are the totals of a Store now.
func Totals(store *strategies.Store, now time.Time) Sample {
	st := store.Stats()
	s := Sample{At: now, Errors: st.Errors, Commands: st.Commands, CommandsSaved: st.CommandsSaved, Breaker: st.Breaker.String()}
	for _, r := range All(store) {
		n, h := &r.Count, st.Handles[r.Name()]
		s.Hits += n.Hits.Count()
		s.Stale += n.Stale.Count()
		s.Misses += n.Misses.Count()
		s.Bypass += n.Bypass.Count()
		s.LoadTimeSaved += h.AvgLoad * time.Duration(n.Hits.Count()+n.Stale.Count())
		delete(st.Handles, r.Name())
	}
	for _, h := range st.Handles {
		s.Hits += h.Hits - h.Stale
		s.Stale += h.Stale
		s.Misses += h.Misses
		s.Bypass += h.Bypass
		s.LoadTimeSaved += h.AvgLoad * time.Duration(h.Hits)
	}
	return s
}

// Recent are the samples of the last minutes, the last one of now, and what has
// happened today (UTC) since its At.
func Recent(store *strategies.Store) (samples []Sample, today Sample) {
	now := time.Now()
	h := historyOf(store)
	h.tick(store, now)
	last := Totals(store, now)
	h.mu.Lock()
	defer h.mu.Unlock()
	today = last.Sub(h.day)
	today.At = h.day.At
	return append(slices.Clone(h.samples), last), today
}
