package rfc9111

import (
	"net/http"
	"slices"
	"strings"
)

// personal are response fields that speak of one exchange or to one client.
// They are never replayed. X-B3-, X-Ratelimit- and the like stand for all fields
// that begin so.
var personal = []string{
	// secrets of one client
	"Authorization", "Authentication-Info",
	"X-Csrf-Token", "X-Xsrf-Token", "Csrf-Token", "Xsrf-Token", "X-Auth-Token", "X-Access-Token", "X-Refresh-Token",
	"X-Id-Token", "X-Session-Id", "X-Session-Token", "X-Amz-Security-Token", "X-User-Id", "X-Authenticated-User",
	// the name of one request
	"X-Request-Id", "Request-Id", "X-Correlation-Id", "Correlation-Id", "X-Trace-Id", "Traceparent", "Tracestate", "Traceresponse",
	"X-Amzn-Requestid", "X-Amz-Request-Id", "X-Amz-Cf-Id", "X-Amzn-Trace-Id", "X-Cloud-Trace-Context", "Cf-Ray", "X-Vercel-Id", "X-B3-",
	// how long it took, and what was left to its client
	"Server-Timing", "X-Runtime", "X-Response-Time", "X-Ratelimit-", "Ratelimit", "Ratelimit-",
}

// TakePersonal takes the fields out of a header that are never replayed, those
// of own among them, and returns them: the request that they came for may have
// them.
func TakePersonal(h http.Header, own []string) http.Header {
	var taken http.Header
	for name, lines := range h {
		if !isPersonal(name) && !slices.Contains(own, name) {
			continue
		}
		if taken == nil {
			taken = http.Header{}
		}
		taken[name] = lines
		delete(h, name)
	}
	return taken
}

func isPersonal(name string) bool {
	return slices.ContainsFunc(personal, func(p string) bool {
		return name == p || strings.HasSuffix(p, "-") && strings.HasPrefix(name, p)
	})
}

// HasNonce reports whether a Content-Security-Policy names a nonce: a page that is
// sent twice has no secret one.
func HasNonce(h http.Header) bool {
	for _, name := range [...]string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for _, line := range h[name] {
			if strings.Contains(strings.ToLower(line), "'nonce-") {
				return true
			}
		}
	}
	return false
}
