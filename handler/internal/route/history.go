package route

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
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

// isDue says once that it is time for a sample.
func (h *History) isDue(now time.Time) bool {
	due := h.due.Load()
	return now.UnixNano() >= due && h.due.CompareAndSwap(due, now.Add(sampleEvery).UnixNano())
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
