package handler

import (
	"net/http"
	"time"
)

// validity is what RFC 9111 section 4.2 says about a stored response at one moment.
type validity struct {
	directives
	lifetime, age time.Duration
	// explicit says that the lifetime was given, not guessed.
	explicit bool
}

// assess calculates the validity of r at now, following the first field of
// targets that it has.
func assess(r *response, targets []string, now time.Time) validity {
	d, targeted := responseDirectives(r.header, targets)
	v := validity{directives: d, age: r.age(now)}
	v.lifetime, v.explicit = lifetime(r.status, r.header, d, targeted)
	return v
}

func (v validity) fresh() bool { return v.lifetime > v.age && !v.noCache && !v.broken }

// mayBeStale reports whether nothing forbids to serve it stale (RFC 9111
// section 4.2.4; s-maxage includes proxy-revalidate, section 5.2.2.10).
func (v validity) mayBeStale() bool {
	return !v.mustRevalidate && !v.proxyRevalidate && !v.noCache && !v.broken && v.sMaxAge == unset
}

// staleness is how long it has been stale; negative while it is fresh.
func (v validity) staleness() time.Duration { return v.age - v.lifetime }

// revalidateWindow is how long past its lifetime it may be served while it is
// refreshed (RFC 5861 section 3).
func (v validity) revalidateWindow() time.Duration {
	if !v.mayBeStale() {
		return 0
	}
	return v.staleWhileRevalidate.duration()
}

// errorWindow is the same for a handler that fails (RFC 5861 section 4).
func (v validity) errorWindow() time.Duration {
	if !v.mayBeStale() {
		return 0
	}
	return v.staleIfError.duration()
}

// age is current_age of RFC 9111 section 4.2.3.
func (r *response) age(now time.Time) time.Duration {
	initial := parseAge(r.header["Age"]) + max(0, r.received.Sub(r.requested))
	if date, ok := parseDate(r.header.Get("Date")); ok {
		initial = max(initial, r.received.Sub(date))
	}
	return initial + max(0, now.Sub(r.received))
}

// parseAge reads an Age field: the first member counts, and one that is no
// number counts for nothing (RFC 9111 section 5.1).
func parseAge(lines []string) time.Duration {
	members := list(lines)
	if len(members) == 0 {
		return 0
	}
	n, _ := parseSeconds(members[0])
	return n.duration()
}

// lifetime is freshness_lifetime of RFC 9111 section 4.2.1 for a shared cache.
func lifetime(status int, h http.Header, d directives, targeted bool) (life time.Duration, explicit bool) {
	switch {
	case d.sMaxAge != unset:
		return d.sMaxAge.duration(), true
	case d.maxAge != unset:
		return d.maxAge.duration(), true
	case targeted:
		return 0, false
	case len(h["Expires"]) > 0:
		return expiresIn(h), true
	case heuristicStatus(status) || d.public:
		return heuristic(h), false
	}
	return 0, false
}

// expiresIn is Expires minus Date; a date that cannot be read is in the past
// (RFC 9111 section 5.3).
func expiresIn(h http.Header) time.Duration {
	expires, ok := parseDate(h["Expires"][0])
	date, hasDate := parseDate(h.Get("Date"))
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
	modified, ok := parseDate(h.Get("Last-Modified"))
	date, hasDate := parseDate(h.Get("Date"))
	if !ok || !hasDate || modified.After(date) {
		return 0
	}
	return min(date.Sub(modified)/heuristicFraction, maxHeuristic)
}

// heuristicStatus are the statuses that RFC 9110 section 15.1 calls
// heuristically cacheable, but for 206, which is never stored.
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
	case 200, 203, 204, 300, 301, 302, 303, 307, 308,
		400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 413, 414, 415, 421, 422, 426, 429,
		500, 501, 502, 503, 504, 505:
		return true
	}
	return false
}
