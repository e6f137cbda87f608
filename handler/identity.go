package handler

import (
	"net/http"
	"slices"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// traceFields are what a preset's handler sees of a request besides what is in
// the key: they name one request among others and select no answer.
var traceFields = []string{
	"Traceparent", "Tracestate", "Baggage", "X-Request-Id", "X-Correlation-Id", "Request-Id", "Correlation-Context",
	"X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags", "B3", "Uber-Trace-Id",
	"X-Cloud-Trace-Context", "X-Amzn-Trace-Id", "X-Datadog-Trace-Id", "X-Datadog-Parent-Id", "X-Datadog-Sampling-Priority",
	"Sentry-Trace", "X-Vercel-Id", "Cf-Ray",
}

// identifies reports whether a request field of this name tells who asks.
func (c Config) identifies(name string) bool {
	if slices.Contains(c.Vary, name) {
		return slices.Contains(c.Advanced.IdentityFields, name)
	}
	return rfc9111.TellsWho(name) || slices.Contains(c.Advanced.IdentityFields, name)
}

// credentials reports whether a request says who asks.
func (c Config) credentials(r *http.Request) bool {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return true
	}
	for name, lines := range r.Header {
		if len(lines) > 0 && c.identifies(name) {
			return true
		}
	}
	return false
}

// passes reports whether a preset's handler may see a request field: one that is
// in the key, one that selects nothing, or, where who asks is in the key, what
// says that.
func (c Config) passes(name string, known bool) bool {
	return slices.Contains(c.Vary, name) || slices.Contains(traceFields, name) || known && c.identifies(name)
}
