package engine

import (
	"time"

	"github.com/cldcde/restash/internal/flight"
)

// act is what to do for a key.
type act int

const (
	loadIt  act = iota // load, or share a load
	serve              // answer with the entry
	refresh            // answer with the entry, and load for those who come
)

// rules are the options that a decision depends on.
type rules struct {
	// strict takes an absent token for a lost one; soft tokens count.
	strict, soft bool
	// force wants a load whatever there is, warm one for what is stale.
	force, warm bool
}

// decision is what an entry is worth at a moment, and what to do about it.
type decision struct {
	act      act
	state    State  // of an answer with the entry: Hit or Stale, else Miss
	reason   string // why it is no plain Hit
	negative bool   // the entry says that there is no value
	valid    bool   // by its tokens, whatever its age: the loader may see it
	onError  bool   // it may be served if its load fails
	last     bool   // in the last quarter of its window, or softly invalidated
	left     time.Duration
}

// decide compares the entry with the tokens read beside it, and with the clock.
// It has no other inputs.
func decide(s *snapshot, now time.Time, r rules) decision {
	d := judge(s, now, r)
	if d.negative {
		d.valid = false // there is no value to fall back on
		if d.state == Stale {
			d.state = Miss
		}
		d.onError = false
	}
	fallback := d.onError && (!r.force || d.state == Miss)
	switch {
	case r.force:
		d = decision{reason: ReasonForced, valid: d.valid, left: d.left, onError: fallback}
	case d.state == Hit && d.negative:
		d.act, d.reason = serve, ReasonNegative
	case d.state == Hit:
		d.act = serve
	case d.state == Stale && !r.warm:
		d.act = refresh
	default:
		d.state = Miss
	}
	if r.warm {
		d.onError = false // a warm-up reports the failure
	}
	return d
}

// judge says what the entry is worth, whatever the call wants.
func judge(s *snapshot, now time.Time, r rules) decision {
	switch {
	case s.data == nil:
		return decision{reason: ReasonAbsent}
	case !s.parsed:
		return decision{reason: ReasonUndecodable}
	}
	hard, soft := compare(s, r)
	if !hard {
		return decision{reason: ReasonInvalidated}
	}
	e := &s.entry
	left := e.Deadline().Sub(now)
	window := e.Deadline().Add(e.StaleWhileRevalidate)
	d := decision{valid: true, negative: e.Negative, left: left, onError: now.Before(e.Deadline().Add(e.StaleIfError))}
	switch {
	case left > 0 && soft:
		d.state = Hit
	case !soft && now.Before(window):
		d.state, d.reason, d.last, d.left = Stale, ReasonStale, true, min(left, 0)
	case now.Before(window):
		d.state, d.reason = Stale, ReasonStale
		d.last = window.Sub(now) <= e.StaleWhileRevalidate/4
	default:
		d.reason = ReasonExpired
	}
	return d
}

// compare reports whether all hard tokens are the entry's, and all soft ones.
// What the entry does not name was absent when it was loaded. In strict mode
// an absent token is a lost one.
func compare(s *snapshot, r rules) (hard, soft bool) {
	hard, soft = !s.hardPending, !s.softPending
	for _, t := range s.tokens {
		was, _ := s.entry.Token(t.ID)
		equal := string(was) == t.Value
		switch {
		case isSoft(t.ID):
			soft = soft && equal
		case !equal || t.Value == "" && r.strict:
			hard = false
		}
	}
	// A mark that was not read cannot be vouched for: it is one of a deeper
	// layout than this version's. Soft ones count only where soft tokens are read.
	for id := range s.entry.Marks() {
		if !wasRead(s.tokens, id) && (r.soft || !isSoft(string(id))) {
			hard = false
		}
	}
	return hard, soft
}

// wasRead is true of every tag: those that were not asked for were read late.
func wasRead(tokens []flight.Token, id []byte) bool {
	if len(id) > 0 && isTag(string(id)) {
		return true
	}
	for i := range tokens {
		if tokens[i].ID == string(id) {
			return true
		}
	}
	return false
}
