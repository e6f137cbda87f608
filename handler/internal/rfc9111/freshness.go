package rfc9111

import (
	"net/http"
	"time"
)

// Stored is what the rules need to know of a stored response: when the handler
// was asked and when it answered (section 4.2.3) among it.
type Stored struct {
	Status              int
	Header              http.Header
	Requested, Received time.Time
}

// Validity is what RFC 9111 section 4.2 says about a stored response at one moment.
type Validity struct {
	Directives
	Lifetime, Age time.Duration
	// Explicit says that the lifetime was given, not guessed.
	Explicit bool
}

// Assess calculates the validity of r at now, following the first field of
// targets that it has.
func Assess(r Stored, targets []string, now time.Time) Validity {
	d, targeted := ResponseDirectives(r.Header, targets)
	v := Validity{Directives: d, Age: r.Age(now)}
	v.Lifetime, v.Explicit = Lifetime(r.Status, r.Header, d, targeted)
	return v
}

// Fresh reports whether it may answer without a question.
func (v Validity) Fresh() bool { return v.Lifetime > v.Age && !v.NoCache && !v.Broken }

// MayBeStale reports whether nothing forbids to serve it stale (RFC 9111
// section 4.2.4; s-maxage includes proxy-revalidate, section 5.2.2.10).
func (v Validity) MayBeStale() bool {
	return !v.MustRevalidate && !v.ProxyRevalidate && !v.NoCache && !v.Broken && v.SMaxAge == Unset
}

// Staleness is how long it has been stale; negative while it is fresh.
func (v Validity) Staleness() time.Duration { return v.Age - v.Lifetime }

// RevalidateWindow is how long past its lifetime it may be served while it is
// refreshed (RFC 5861 section 3).
func (v Validity) RevalidateWindow() time.Duration {
	if !v.MayBeStale() {
		return 0
	}
	return v.StaleWhileRevalidate.Duration()
}

// ErrorWindow is the same for a handler that fails (RFC 5861 section 4).
func (v Validity) ErrorWindow() time.Duration {
	if !v.MayBeStale() {
		return 0
	}
	return v.StaleIfError.Duration()
}

// Age is current_age of RFC 9111 section 4.2.3.
func (r Stored) Age(now time.Time) time.Duration {
	initial := parseAge(r.Header["Age"]) + max(0, r.Received.Sub(r.Requested))
	if date, ok := ParseDate(r.Header.Get("Date")); ok {
		initial = max(initial, r.Received.Sub(date))
	}
	return initial + max(0, now.Sub(r.Received))
}

// parseAge reads an Age field: the first member counts, and one that is no
// number counts for nothing (RFC 9111 section 5.1).
func parseAge(lines []string) time.Duration {
	members := List(lines)
	if len(members) == 0 {
		return 0
	}
	n, _ := parseSeconds(members[0])
	return n.Duration()
}

// Lifetime is freshness_lifetime of RFC 9111 section 4.2.1 for a shared cache.
func Lifetime(status int, h http.Header, d Directives, targeted bool) (life time.Duration, explicit bool) {
	switch {
	case d.SMaxAge != Unset:
		return d.SMaxAge.Duration(), true
	case d.MaxAge != Unset:
		return d.MaxAge.Duration(), true
	case targeted:
		return 0, false
	case len(h["Expires"]) > 0:
		return expiresIn(h), true
	case heuristicStatus(status) || d.Public:
		return heuristic(h), false
	}
	return 0, false
}

// expiresIn is Expires minus Date; a date that cannot be read is in the past
// (RFC 9111 section 5.3).
func expiresIn(h http.Header) time.Duration {
	expires, ok := ParseDate(h["Expires"][0])
	date, hasDate := ParseDate(h.Get("Date"))
	if !ok || !hasDate {
		return 0
	}
	return max(0, expires.Sub(date))
}

const (
	// heuristicFraction of the time since the last change is a usual guess at
	// how long a thing will not change (RFC 9111 section 4.2.2).
	heuristicFraction = 10
	maxHeuristic      = 24 * time.Hour
)

func heuristic(h http.Header) time.Duration {
	modified, ok := ParseDate(h.Get("Last-Modified"))
	date, hasDate := ParseDate(h.Get("Date"))
	if !ok || !hasDate || modified.After(date) {
		return 0
	}
	return min(date.Sub(modified)/heuristicFraction, maxHeuristic)
}

// heuristicStatus are the statuses that RFC 9110 section 15.1 calls
// heuristically cacheable, but for 206: no lifetime is guessed for a part.
func heuristicStatus(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// understood are the final statuses whose caching rules this cache knows
// (must-understand, RFC 9111 section 5.2.2.3).
func understood(status int) bool {
	switch status {
	case 200, 203, 204, 206, 300, 301, 302, 303, 307, 308,
		400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 413, 414, 415, 421, 422, 426, 429,
		500, 501, 502, 503, 504, 505:
		return true
	}
	return false
}
