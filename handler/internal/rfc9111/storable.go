package rfc9111

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// NeverStored are the reasons that hold in both ways.
func NeverStored(status int, h http.Header) Refusal {
	if status < 200 || status == http.StatusNotModified {
		return RefuseStatus
	}
	if strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream") {
		return RefuseStream
	}
	if len(h["Upgrade"]) > 0 && status == http.StatusSwitchingProtocols {
		return RefuseUpgrade
	}
	if _, ok := VaryOf(h); !ok {
		return RefuseVary
	}
	return ""
}

// Forbidden says by which field a handler, or a middleware around it, forbids
// to use its answer again without asking.
func Forbidden(h http.Header, d Directives) Refusal {
	switch {
	case d.NoCache, len(h["Cache-Control"]) == 0 && slices.ContainsFunc(List(h["Pragma"]), isNoCache):
		return RefuseNoCache
	case d.MaxAge == 0 || d.SMaxAge == 0:
		return RefuseMaxAge
	case d.MaxAge == Unset && d.SMaxAge == Unset && len(h["Expires"]) > 0 && expired(h["Expires"][0]):
		return RefuseExpired
	}
	for name, lines := range h {
		if (strings.HasSuffix(name, "-Cache-Control") || name == "Surrogate-Control") && forbidsAll(lines) {
			return RefuseTargeted
		}
	}
	return ""
}

func isNoCache(directive string) bool { return strings.EqualFold(directive, "no-cache") }

// forbidsAll reports whether a field for other caches forbids what a preset does.
func forbidsAll(lines []string) bool {
	d := ParseCacheControl(lines)
	return d.NoStore || d.Private || d.NoCache || d.MaxAge == 0 || d.Broken
}

// expired reports whether a date is past, or none ("0").
func expired(field string) bool {
	at, ok := ParseDate(field)
	return !ok || !at.After(time.Now())
}

// Sharing is what a cache's owner says beyond the rules.
type Sharing struct {
	// Targets are the targeted fields that are followed.
	Targets []string
	// SetCookie lets responses with a Set-Cookie field be stored.
	SetCookie bool
}

// Refuses is RFC 9111 section 3 for a shared cache, and stricter:
// Set-Cookie, and answers to requests with a Cookie or an API key that nothing
// calls public.
func (c Sharing) Refuses(asked http.Header, status int, h http.Header, now time.Time) Refusal {
	if why := NeverStored(status, h); why != "" {
		return why
	}
	d, targeted := ResponseDirectives(h, c.Targets)
	if d.MustUnderstand {
		if !understood(status) {
			return RefuseStatus
		}
		d.NoStore = false // section 5.2.2.3
	}
	if why := c.private(asked, h, d, targeted); why != "" {
		return why
	}
	life, explicit := Lifetime(status, withDate(h, now), d, targeted)
	switch {
	case !explicit && !d.Public && !heuristicStatus(status):
		return RefuseStatus
	case life <= 0 && !HasValidator(h):
		return RefuseLifetime
	}
	return ""
}

// private says why an answer must not be shared, whatever its lifetime.
func (c Sharing) private(asked, h http.Header, d Directives, targeted bool) Refusal {
	switch {
	case d.Broken:
		return RefuseBroken
	case d.NoStore:
		return RefuseNoStore
	case d.Private:
		return RefusePrivate
	case len(h["Set-Cookie"]) > 0 && !c.SetCookie && !listed(d, "Set-Cookie"):
		return RefuseCookie
	case !forEveryone(d) && (len(asked["Authorization"]) > 0 || !targeted && forOneUser(asked, h)):
		return RefuseUser
	}
	return ""
}

// forEveryone reports whether a directive lets answers to requests with
// Authorization be shared (RFC 9111 section 3.5).
func forEveryone(d Directives) bool { return d.Public || d.MustRevalidate || d.SMaxAge != Unset }

// forOneUser reports whether the request says who asks in a field by which the
// answer does not vary.
func forOneUser(asked, h http.Header) bool {
	for name, lines := range asked {
		if name != "Authorization" && len(lines) > 0 && TellsWho(name) && !variesBy(h, name) {
			return true
		}
	}
	return false
}

// listed reports whether a field is named by no-cache or private and so left out.
func listed(d Directives, name string) bool {
	return slices.Contains(d.NoCacheFields, name) || slices.Contains(d.PrivateFields, name)
}

func variesBy(h http.Header, name string) bool {
	names, ok := VaryOf(h)
	return ok && slices.Contains(names, name)
}

func HasValidator(h http.Header) bool {
	return h.Get("Etag") != "" || h.Get("Last-Modified") != ""
}

// withDate is h with a Date it can be reckoned by.
func withDate(h http.Header, now time.Time) http.Header {
	if _, ok := ParseDate(h.Get("Date")); ok {
		return h
	}
	h = h.Clone()
	h.Set("Date", FormatDate(now))
	return h
}

// DropListed removes the fields that the qualified forms of no-cache and
// Private name (RFC 9111 sections 5.2.2.4 and 5.2.2.7), and returns them: the
// request that they came for may have them.
func DropListed(h http.Header, d Directives) http.Header {
	var dropped http.Header
	for _, name := range slices.Concat(d.NoCacheFields, d.PrivateFields) {
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
