package strategies

import (
	"time"

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
	ReasonDisabled    = engine.ReasonDisabled    // the Store is off
	ReasonTags        = engine.ReasonTags        // too many tags, or an empty one
)

// Status is how one call was answered; see [Report].
type Status struct {
	// State of the answer; of a batch, Hit only if every value was.
	State State
	// Reason why it was not a fresh hit, or "" or "negative" for hits.
	Reason string
	// Stored says that a value was loaded and stored.
	Stored bool
	// Collapsed says that another caller's load was shared.
	Collapsed bool
	// Oversized says that the value was loaded and too big to be stored.
	Oversized bool
	// StoredAt is when the entry that answered was stored; zero if none did.
	StoredAt time.Time
	// TTL is how long the answer stays fresh; negative for a stale one.
	TTL time.Duration
	// Commands and Trips are what this call sent: billed commands and HTTP
	// round trips. A caller that shared another's read has none.
	Commands, Trips int
	// Err is what went wrong with the cache, if anything; the call itself may
	// well have succeeded.
	Err error
}

// statusOf is the engine's status in this package's words.
func statusOf(s engine.Status) Status {
	return Status{
		State: State(s.State), Reason: s.Reason, Stored: s.Stored, Collapsed: s.Collapsed, Oversized: s.Oversized,
		StoredAt: s.StoredAt, TTL: s.TTL, Commands: s.Commands, Trips: s.Trips, Err: s.Err,
	}
}
