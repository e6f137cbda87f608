package client

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Stats is a snapshot of what a client has done since it was made. Streams
// are not in it.
type Stats struct {
	Requests int64 // HTTP requests, retries included
	Commands int64 // commands sent; those of a retried request count again
	Retries  int64 // requests that repeated another one
	Failures int64 // calls that got no usable answer as a whole
	BytesOut int64 // request bodies
	BytesIn  int64 // bodies of answers

	// Half of all calls, and 99 % of them, took at most this long, retries
	// included; within 7 %. Zero before the first call.
	LatencyP50, LatencyP99 time.Duration
}

type counters struct {
	requests, commands, retries, failures, bytesOut, bytesIn atomic.Int64

	latency histogram
}

// histogram counts durations in microseconds: 8 buckets for each power of
// two, so that a bucket is at most 12.5 % wide. It has no lock and never grows.
type histogram struct {
	buckets [8 * 40]atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucket(uint64(max(d.Microseconds(), 0)))].Add(1)
}

func bucket(us uint64) int {
	if us < 8 {
		return int(us)
	}
	shift := bits.Len64(us) - 4 // leaves a number of 8 to 15
	return min(shift*8+int(us>>shift), 8*40-1)
}

// middle is the inverse of bucket: the middle of its range.
func middle(b int) time.Duration {
	if b < 16 {
		return time.Duration(b) * time.Microsecond
	}
	shift := b/8 - 1
	low := uint64(b%8+8) << shift
	return time.Duration(low+1<<shift/2) * time.Microsecond
}

func (h *histogram) quantiles() (p50, p99 time.Duration) {
	var counts [8 * 40]int64
	var total int64
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
		total += counts[i]
	}
	if total == 0 {
		return 0, 0
	}
	at := func(rank int64) time.Duration {
		for i, n := range counts {
			if rank -= n; rank <= 0 {
				return middle(i)
			}
		}
		return middle(len(counts) - 1)
	}
	return at((total + 1) / 2), at((total*99 + 99) / 100)
}
