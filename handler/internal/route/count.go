package route

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Counters are what the middlewares of a route have answered: how many, how
// fast, and why not from the cache.
type Counters struct {
	Hits, Stale, Misses, Bypass Histogram
	// MissReasons and BypassReasons are the words of Cache-Status.
	MissReasons, BypassReasons Reasons
	Oversized, Passed          atomic.Int64
	Validated, Collapsed       atomic.Int64
}

// Bounds are the upper bounds of the buckets of a [Histogram], in order.
var Bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Histogram counts durations in buckets. The zero value is empty.
type Histogram struct {
	buckets [len(Bounds) + 1]atomic.Int64
	sum     atomic.Int64
}

// Since adds the time since began.
func (h *Histogram) Since(began time.Time) {
	d := time.Since(began)
	i, _ := slices.BinarySearch(Bounds[:], d)
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// Count is how many durations were added, Sum their sum.
func (h *Histogram) Count() (n int64) {
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// Sum is the sum of what was added.
func (h *Histogram) Sum() time.Duration { return time.Duration(h.sum.Load()) }

// Buckets are how many durations lie in each bucket, the one without bound last.
func (h *Histogram) Buckets() []int64 {
	all := make([]int64, len(h.buckets))
	for i := range h.buckets {
		all[i] = h.buckets[i].Load()
	}
	return all
}

// Reasons counts by word. The words are a fixed few.
type Reasons struct {
	mu     sync.Mutex
	counts map[string]int64
}

func (r *Reasons) add(word string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[string]int64{}
	}
	r.counts[word]++
}

// All is a copy of the counts.
func (r *Reasons) All() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}

// Quantile is the upper bound of the bucket in which a share of the durations
// ends; 0 if there are none.
func (h *Histogram) Quantile(share float64) time.Duration {
	want := share * float64(h.Count())
	var seen float64
	for i := range h.buckets {
		if seen += float64(h.buckets[i].Load()); seen > 0 && seen >= want {
			return Bounds[min(i, len(Bounds)-1)]
		}
	}
	return 0
}
