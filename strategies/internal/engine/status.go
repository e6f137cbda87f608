package engine

import (
	"errors"
	"time"
)

// State says where an answer came from.
type State int

// The states of an answer, in the order of package strategies.
const (
	Miss State = iota
	Hit
	Stale
	Bypass
)

// better orders the states of the keys of a batch, whose own is the worst.
var worse = [...]int{Hit: 0, Stale: 1, Miss: 2, Bypass: 3}

// The reasons in a [Status], as package strategies documents them.
const (
	ReasonAbsent      = "absent"
	ReasonExpired     = "expired"
	ReasonInvalidated = "invalidated"
	ReasonStale       = "stale"
	ReasonLoadFailed  = "load-failed"
	ReasonUndecodable = "undecodable"
	ReasonNegative    = "negative"
	ReasonForced      = "forced"
	ReasonError       = "error"
	ReasonBreaker     = "breaker"
	ReasonQuota       = "quota"
	ReasonDisabled    = "disabled"
	ReasonTags        = "tags"
)

// Status is how a key, or a batch of keys, was answered.
type Status struct {
	State           State
	Reason          string
	Stored, Storing bool
	Collapsed       bool
	Oversized       bool
	StoredAt        time.Time
	TTL             time.Duration
	Cost
	Err error
}

// merge adds the status of a key to that of its batch.
func (s *Status) merge(key *Status, first bool) {
	was, is := worse[s.State], worse[key.State]
	if first || is > was || is == was && key.TTL < s.TTL {
		s.State, s.Reason, s.StoredAt, s.TTL = key.State, key.Reason, key.StoredAt, key.TTL
	}
	s.Stored = s.Stored || key.Stored
	s.Storing = s.Storing || key.Storing
	s.Collapsed = s.Collapsed || key.Collapsed
	s.Oversized = s.Oversized || key.Oversized
	s.Cost.add(key.Cost)
	if key.Err != nil {
		s.Err = errors.Join(s.Err, key.Err)
	}
}
