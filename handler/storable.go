package handler

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// refusal says why a response is not stored; "" means that it may be. The
// words appear in Cache-Status as its detail.
type refusal string

const (
	refuseStatus    refusal = "status"
	refuseNoStore   refusal = "no-store"
	refusePrivate   refusal = "private"
	refuseCookie    refusal = "set-cookie"
	refuseUser      refusal = "credentials"
	refuseVary      refusal = "vary"
	refuseLifetime  refusal = "no-lifetime"
	refuseBroken    refusal = "unparsable"
	refuseStream    refusal = "stream"
	refuseSize      refusal = "oversized"
	refuseCut       refusal = "incomplete"
	refuseUpgrade   refusal = "upgrade"
	refuseHead      refusal = "head"
	refuseTime      refusal = "timeout"
	refuseNoCache   refusal = "no-cache"
	refuseMaxAge    refusal = "max-age"
	refuseExpired   refusal = "expires"
	refuseTargeted  refusal = "targeted"
	refuseForbidden refusal = "request-no-store"
)

// storable decides, when the header of an answer is known, whether it may be
// stored for the class of c. asked is the request as the handler sees it.
func (c Config) storable(asked *http.Request, status int, h http.Header, now time.Time) refusal {
	if why := c.neverStored(status, h); why != "" {
		return why
	}
	if c.preset() {
		return c.storablePreset(status, h)
	}
	return c.storableByHeader(asked, status, h, now)
}

// neverStored are the reasons that hold in both ways.
func (c Config) neverStored(status int, h http.Header) refusal {
	if status < 200 || status == http.StatusPartialContent || status == http.StatusNotModified {
		return refuseStatus
	}
	if strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream") {
		return refuseStream
	}
	if len(h["Upgrade"]) > 0 && status == http.StatusSwitchingProtocols {
		return refuseUpgrade
	}
	if _, ok := varyOf(h); !ok {
		return refuseVary
	}
	return ""
}

// storablePreset: what the handler says against storing is believed, the
// lifetime is the preset's.
func (c Config) storablePreset(status int, h http.Header) refusal {
	negative := status == http.StatusNotFound || status == http.StatusGone
	if !(status < 300) && !(negative && c.Negative > 0) {
		return refuseStatus
	}
	d := parseCacheControl(h["Cache-Control"])
	switch {
	case d.broken:
		return refuseBroken
	case d.noStore:
		return refuseNoStore
	case d.private || len(d.privateFields) > 0:
		return refusePrivate
	case len(h["Set-Cookie"]) > 0 && !c.Advanced.StoreSetCookie:
		return refuseCookie
	}
	return forbidden(h, d)
}

// forbidden says by which field a handler, or a middleware around it, forbids
// to use its answer again without asking.
func forbidden(h http.Header, d directives) refusal {
	switch {
	case d.noCache:
		return refuseNoCache
	case d.maxAge == 0 || d.sMaxAge == 0:
		return refuseMaxAge
	case len(h["Cache-Control"]) == 0 && slices.ContainsFunc(list(h["Pragma"]), func(s string) bool { return strings.EqualFold(s, "no-cache") }):
		return refuseNoCache
	case d.maxAge == unset && d.sMaxAge == unset && len(h["Expires"]) > 0 && expired(h["Expires"][0]):
		return refuseExpired
	}
	for name, lines := range h {
		if !strings.HasSuffix(name, "-Cache-Control") && name != "Surrogate-Control" {
			continue
		}
		if t := parseCacheControl(lines); t.noStore || t.private || t.noCache || t.maxAge == 0 || t.broken {
			return refuseTargeted
		}
	}
	return ""
}

// expired reports whether a date is past, or none ("0").
func expired(field string) bool {
	at, ok := parseDate(field)
	return !ok || !at.After(time.Now())
}

// storableByHeader is RFC 9111 section 3 for a shared cache, and stricter:
// Set-Cookie, and answers to requests with a Cookie or an API key that nothing
// calls public.
func (c Config) storableByHeader(asked *http.Request, status int, h http.Header, now time.Time) refusal {
	d, targeted := responseDirectives(h, c.Advanced.Targets)
	if d.mustUnderstand {
		if !understood(status) {
			return refuseStatus
		}
		d.noStore = false // section 5.2.2.3
	}
	life, explicit := lifetime(status, withDate(h, now), d, targeted)
	switch {
	case d.broken:
		return refuseBroken
	case d.noStore:
		return refuseNoStore
	case d.private:
		return refusePrivate
	case len(h["Set-Cookie"]) > 0 && !c.Advanced.StoreSetCookie && !listed(d, "Set-Cookie"):
		return refuseCookie
	case len(asked.Header["Authorization"]) > 0 && !forEveryone(d):
		return refuseUser
	case !forEveryone(d) && !targeted && forOneUser(asked.Header, h):
		return refuseUser
	case !explicit && !d.public && !heuristicStatus(status):
		return refuseStatus
	case life <= 0 && !hasValidator(h):
		return refuseLifetime
	}
	return ""
}

// forEveryone reports whether a directive lets answers to requests with
// Authorization be shared (RFC 9111 section 3.5).
func forEveryone(d directives) bool { return d.public || d.mustRevalidate || d.sMaxAge != unset }

// forOneUser reports whether the request says who asks in a field by which the
// answer does not vary.
func forOneUser(asked, h http.Header) bool {
	for name, lines := range asked {
		if name != "Authorization" && len(lines) > 0 && tellsWho(name) && !variesBy(h, name) {
			return true
		}
	}
	return false
}

// listed reports whether a field is named by no-cache or private and so left out.
func listed(d directives, name string) bool {
	return slices.Contains(d.noCacheFields, name) || slices.Contains(d.privateFields, name)
}

func variesBy(h http.Header, name string) bool {
	names, ok := varyOf(h)
	return ok && slices.Contains(names, name)
}

func hasValidator(h http.Header) bool {
	return h.Get("Etag") != "" || h.Get("Last-Modified") != ""
}

// withDate is h with a Date it can be reckoned by.
func withDate(h http.Header, now time.Time) http.Header {
	if _, ok := parseDate(h.Get("Date")); ok {
		return h
	}
	h = h.Clone()
	h.Set("Date", formatDate(now))
	return h
}

// dropListed removes the fields that the qualified forms of no-cache and
// private name (RFC 9111 sections 5.2.2.4 and 5.2.2.7), and returns them: the
// request that they came for may have them.
func dropListed(h http.Header, d directives) http.Header {
	var dropped http.Header
	for _, name := range slices.Concat(d.noCacheFields, d.privateFields) {
		if lines, there := h[name]; there {
			if dropped == nil {
				dropped = http.Header{}
			}
			dropped[name] = lines
			delete(h, name)
		}
	}
	return dropped
}
