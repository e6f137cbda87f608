package engine

import (
	"math/bits"
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
