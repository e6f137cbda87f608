package handler

import (
	"net/http"
	"slices"
	"strings"
)

// identityWords are the words whose presence in the name of a request field
// says that the field tells who asks: "X-Forwarded-User", "Api-Key",
// "Cf-Access-Jwt-Assertion". Fields of this kind are too many for a list of names.
var identityWords = wordSet(`account apikey assertion auth authentication authenticated authorization cert clientcert
	cookie credential credentials csrf customer email group groups identity impersonate jwt login member oidc org
	organization passport password principal role roles saml secret session sessionid sid sso subject tenant token uid
	user userid username webauth workspace xsrf`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// identityEnds are ends of words that say the same: "X-Accesstoken".
var identityEnds = []string{"token", "apikey", "userid", "sessionid", "jwt", "cert", "principal"}

// harmlessFields have such a word in their name and do not tell who asks, or go
// with every request of a platform.
var harmlessFields = []string{"User-Agent", "Sec-Fetch-User", "X-Appengine-User-Ip", "X-Vercel-Oidc-Token"}

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
	return tellsWho(name) || slices.Contains(c.Advanced.IdentityFields, name)
}

// tellsWho is asked for each field of each request; names are in canonical case.
func tellsWho(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Connection", "Cache-Control":
		return false
	}
	if slices.Contains(harmlessFields, name) || strings.HasSuffix(name, "User-Agent") {
		return false
	}
	for previous := ""; name != ""; {
		end := strings.IndexAny(name, "-_")
		if end < 0 {
			end = len(name)
		}
		word := name[:end]
		if saysWho(word) || strings.EqualFold(word, "key") && strings.EqualFold(previous, "api") {
			return true
		}
		previous, name = word, name[min(end+1, len(name)):]
	}
	return false
}

func saysWho(word string) bool {
	var buf [16]byte
	if len(word) > len(buf) {
		word = word[len(word)-len(buf):] // its end may still say it
	}
	lower := buf[:len(word)]
	for i := range lower {
		lower[i] = word[i] | 0x20 // letters only matter
	}
	return identityWords[string(lower)] || slices.ContainsFunc(identityEnds, func(end string) bool {
		return len(lower) >= len(end) && string(lower[len(lower)-len(end):]) == end
	})
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
