package strategies

import (
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies/internal/engine"
)

// State says where an answer came from, in the words of X-Cache.
type State int

// The states of an answer.
const (
	Miss   State = iota // loaded
	Hit                 // from the cache, fresh
	Stale               // from the cache, past its TTL
	Bypass              // loaded without asking the cache
)

// String returns MISS, HIT, STALE or BYPASS.
func (s State) String() string {
	switch s {
	case Hit:
		return "HIT"
	case Stale:
		return "STALE"
	case Bypass:
		return "BYPASS"
	default:
		return "MISS"
	}
}

// The reasons in a [Status].
const (
	ReasonAbsent      = engine.ReasonAbsent      // there was no entry
	ReasonExpired     = engine.ReasonExpired     // past its stale windows
	ReasonInvalidated = engine.ReasonInvalidated // a token has changed
	ReasonStale       = engine.ReasonStale       // past its TTL, or softly invalidated
	ReasonLoadFailed  = engine.ReasonLoadFailed  // stale, since the load failed
	ReasonUndecodable = engine.ReasonUndecodable // not an entry, or of another shape
	ReasonNegative    = engine.ReasonNegative    // remembered that it does not exist
	ReasonForced      = engine.ReasonForced      // option Force
	ReasonError       = engine.ReasonError       // the cache could not be read
	ReasonBreaker     = engine.ReasonBreaker     // the breaker is open
	ReasonQuota       = engine.ReasonQuota       // left out so that the quota lasts
	ReasonDisabled    = engine.ReasonDisabled    // the Store is off
	ReasonTags        = engine.ReasonTags        // too many tags, or an empty one
)

// Status is how one call was answered; see [Report].
type Status struct {
	// State of the answer; of a batch, Hit only if every value was.
	State State
	// Reason why it was not a fresh hit, or "" or "negative" for hits.
	Reason string
	// Stored says that a value was loaded and stored, Storing that it is being
	// stored behind the answer.
	Stored, Storing bool
	// Collapsed says that another caller's load was shared.
	Collapsed bool
	// Oversized says that the value was loaded and too big to be stored.
	Oversized bool
	// StoredAt is when the entry that answered was stored; zero if none did.
	StoredAt time.Time
	// TTL is how long the answer stays fresh; negative for a stale one.
	TTL time.Duration
	// Commands and Trips are what this call sent before its answer: billed
	// commands and HTTP round trips. A caller that shared another's read has none.
	Commands, Trips int
	// Err is what went wrong with the cache, if anything; the call itself may
	// well have succeeded.
	Err error
}

// statusOf is the engine's status in this package's words.
func statusOf(s engine.Status) Status {
	return Status{
		State: State(s.State), Reason: s.Reason, Stored: s.Stored, Storing: s.Storing, Collapsed: s.Collapsed, Oversized: s.Oversized,
		StoredAt: s.StoredAt, TTL: s.TTL, Commands: s.Commands, Trips: s.Trips, Err: s.Err,
	}
}

// Trace hears of single events. Nil functions are skipped. They are called in
// the goroutine of the event and must be quick and safe for concurrent use.
// Keys are the caller's; no value is ever passed.
type Trace struct {
	// Answer is called for each answered key.
	Answer func(handle, key string, status Status, took time.Duration)
	// Load is called after each run of a loader, with its error. refresh says
	// that a stale value was there.
	Load func(handle, key string, refresh bool, took time.Duration, err error)
	// Invalidate is called after each invalidation.
	Invalidate func(report invalidate.Report, err error)
	// Breaker is called after each change of the breaker.
	Breaker func(change breaker.Change)
	// Outdated is called for each hit that an audit found to be outdated, with
	// its age; see StoreConfig.Audit.
	Outdated func(handle, key string, age time.Duration)
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
	// Audited are hits that were compared with what their loader says, and
	// Outdated those of them that differed though nothing had been invalidated;
	// see StoreConfig.Audit. OutdatedAge is how old those were in the mean.
	Audited, Outdated int64
	OutdatedAge       time.Duration
	// Shed are refreshes, audits and warm-ups that were left out so that the
	// quota lasts; see StoreConfig.Quota.
	Shed int64
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
	// AvgLoad, LoadP50 and LoadP99 are of runs of the loader.
	AvgLoad, LoadP50, LoadP99 time.Duration
}

// statsOf is what the engine has counted so far.
func statsOf(c *engine.Counters) HandleStats {
	n := c.Count
	h := HandleStats{
		Hits: n(engine.CountHits), Misses: n(engine.CountMisses), Stale: n(engine.CountStale), Negative: n(engine.CountNegative),
		Bypass: n(engine.CountBypass), Errors: n(engine.CountErrors), Coalesced: n(engine.CountCoalesced),
		Refreshes: n(engine.CountRefreshes), RefreshesFailed: n(engine.CountRefreshesFailed), Oversized: n(engine.CountOversized),
		Audited: n(engine.CountAudited), Outdated: n(engine.CountOutdated), Shed: n(engine.CountShed),
		LocalHits: n(engine.CountLocalHits), CommandsSaved: n(engine.CountCommandsSaved),
		Commands: n(engine.CountCommands), Trips: n(engine.CountTrips),
		BytesOut: n(engine.CountBytesOut), BytesIn: n(engine.CountBytesIn),
	}
	h.OutdatedAge = time.Duration(n(engine.CountOutdatedAge) / max(h.Outdated, 1))
	h.AvgLatency, h.P50, h.P99 = c.Reads()
	h.AvgLoad, h.LoadP50, h.LoadP99 = c.Loads()
	return h
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
	// Quota is the one that is closest to its end; zero without any.
	Quota QuotaStats
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

// QuotaStats are how far a quota is used.
type QuotaStats struct {
	// Period is "day" or "month".
	Period string
	// Limit and Used commands: of this instance, or of all instances with
	// StoreConfig.FleetMetrics.
	Limit, Used int64
	// Saving is what is left out at the moment.
	Saving Saving
}

// Saving says what is left out so that a quota lasts; each leaves out what those
// before it do. See [Quota].
type Saving = engine.Saving

// The steps of saving.
const (
	SaveNothing  = engine.SaveNothing
	SaveOptional = engine.SaveOptional // refreshes that can wait, audits, warm-ups
	SaveClasses  = engine.SaveClasses  // reads of classes with Advanced.Expendable
	SaveReads    = engine.SaveReads    // all reads
)

// Consistency is the part of audited hits that were not outdated, 1 if none was
// audited.
func (h HandleStats) Consistency() float64 {
	return 1 - float64(h.Outdated)/float64(max(h.Audited, 1))
}

// FleetStats are counters of all instances of a namespace since its first.
type FleetStats struct {
	Hits, Misses, Stale, Negative, Bypass, Errors, Commands, Trips int64
	// AvgLatency of cache reads.
	AvgLatency time.Duration
}

// HitRate is Hits / (Hits + Misses), 0 if there were neither.
func (f FleetStats) HitRate() float64 { return HandleStats{Hits: f.Hits, Misses: f.Misses}.HitRate() }
