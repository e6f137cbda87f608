package upstashtest

import (
	"strconv"
	"sync"
	"time"
)

// Limits are what a plan allows. A zero field is the limit of the plan
// "pay as you go"; [NoLimit] turns one off.
type Limits struct {
	// Request is the most bytes in one command's arguments, and in one
	// command's reply: 10 MB. A whole pipeline may be larger.
	Request int64
	// Record is the most bytes in one key's value: 100 MB.
	Record int64
	// Key is the most bytes in a key: 32 KB.
	Key int64
	// Data is the most bytes in the database: none. Writes that add are then
	// refused, or keys are evicted if Evict is set.
	Data  int64
	Evict bool
	// Daily and Monthly are the most commands in a day and in a month, by the
	// database's clock, UTC: none.
	Daily, Monthly int64
	// PerSecond is how many commands run in a second: none. More are slowed
	// down, not refused.
	PerSecond int64
	// Pending is the most entries that one consumer of a stream may have
	// unacknowledged: 1000.
	Pending int64
}

// NoLimit turns a limit off.
const NoLimit = -1

const (
	kb = 1 << 10
	mb = 1 << 20
	gb = 1 << 30
)

// The plans of Upstash, summer 2026. What is not documented is not limited.
var (
	Free       = Limits{Data: 256 * mb, Monthly: 500_000, PerSecond: 10_000}
	PayAsYouGo = Limits{PerSecond: 10_000}
	Fixed250MB = Limits{Data: 250 * mb, PerSecond: 10_000}
	Fixed1GB   = Limits{Record: 200 * mb, Data: 1 * gb, PerSecond: 10_000}
	Fixed5GB   = Limits{Request: 20 * mb, Record: 300 * mb, Data: 5 * gb, PerSecond: 10_000}
	Fixed10GB  = Limits{Request: 30 * mb, Record: 400 * mb, Data: 10 * gb, PerSecond: 10_000}
	Fixed50GB  = Limits{Request: 50 * mb, Record: 500 * mb, Data: 50 * gb, PerSecond: 10_000}
	Fixed100GB = Limits{Request: 75 * mb, Record: 1 * gb, Data: 100 * gb, PerSecond: 16_000}
	Fixed500GB = Limits{Request: 100 * mb, Record: 5 * gb, Data: 500 * gb, PerSecond: 16_000}
	// OldFree and VercelKV are older plans, with daily limits.
	OldFree  = Limits{Data: 256 * mb, Daily: 10_000, PerSecond: 10_000}
	VercelKV = Limits{Data: 256 * mb, Daily: 3_000, PerSecond: 10_000}
)

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Request, 10 * mb}, {&l.Record, 100 * mb}, {&l.Key, 32 * kb}, {&l.Pending, 1000}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// over reports whether n is more than a limit that is on.
func over(n, limit int64) bool { return limit > 0 && n > limit }

// meter counts what the limits need to know.
type meter struct {
	mu       sync.Mutex
	day      string
	month    string
	daily    int64
	monthly  int64
	next     time.Time        // when the next command may run
	atMost   map[string]int64 // per key: its size is not above this
	dataMost int64            // the same for all keys
}

func tooLarge(limit, actual int64) string {
	return "ERR max request size exceeded. Limit: " + strconv.FormatInt(limit, 10) + " bytes, Actual: " +
		strconv.FormatInt(actual, 10) + " bytes. See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"
}
