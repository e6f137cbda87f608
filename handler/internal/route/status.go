package route

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/strategies"
)

// cacheName is the name of this cache in Cache-Status (RFC 9211).
const cacheName = "restash"

// Verdict is how one request was answered, for X-Cache and Cache-Status.
type Verdict struct {
	State strategies.State
	// fwd says why the handler was asked: a token of RFC 9211 section 2.2; ""
	// for an answer from the cache.
	fwd       string
	fwdStatus int
	Stored    bool
	collapsed bool
	// TTL is the freshness left; Timed says that it is known.
	TTL    time.Duration
	Timed  bool
	key    string
	detail string
}

// String is a member of a Cache-Status list.
func (v Verdict) String() string {
	b := make([]byte, 0, 96)
	b = append(b, cacheName...)
	if v.fwd == "" {
		b = append(b, "; hit"...)
	} else {
		b = append(append(b, "; fwd="...), v.fwd...)
		if v.fwdStatus > 0 {
			b = strconv.AppendInt(append(b, "; fwd-status="...), int64(v.fwdStatus), 10)
		}
	}
	if v.Timed {
		b = strconv.AppendInt(append(b, "; ttl="...), int64(v.TTL/time.Second), 10)
	}
	if v.Stored {
		b = append(b, "; stored"...)
	}
	if v.collapsed {
		b = append(b, "; collapsed"...)
	}
	if v.key != "" {
		b = append(append(append(b, `; key="`...), quoted(v.key)...), '"')
	}
	if v.detail != "" {
		b = append(append(b, "; detail="...), v.detail...)
	}
	return string(b)
}

// word is the reason for which the handler was asked, as it is counted.
func (v Verdict) word() string {
	if v.detail != "" {
		return v.detail
	}
	return v.fwd
}

// maxShownKey bounds the key in Cache-Status.
const maxShownKey = 256

// quoted makes s the inside of an sf-string: printable ASCII, quotes escaped.
func quoted(s string) string {
	s = s[:min(len(s), maxShownKey)]
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s))
}

// Write sets X-Cache and adds to Cache-Status; the caches nearer to the origin
// stand first there.
func (v Verdict) Write(f *record.Fields) {
	f.Set("X-Cache", v.State.String())
	f.Add("Cache-Status", v.String())
}

// WriteStatus writes the status of a read from the cache outside the middleware.
func WriteStatus(h http.Header, st strategies.Status) {
	v := verdictOf(st, false)
	v.Write(record.FieldsOf(h, 2))
}

// verdictOf words a status of the Store. varied says that the key's Vary list
// was known when it was read.
func verdictOf(st strategies.Status, varied bool) Verdict {
	v := Verdict{State: st.State, Stored: st.Stored || st.Storing, collapsed: st.Collapsed}
	if st.State == strategies.Hit || st.State == strategies.Stale {
		v.TTL, v.Timed = st.TTL, true
		if st.Reason == strategies.ReasonLoadFailed || st.Reason == strategies.ReasonNegative {
			v.detail = st.Reason
		}
		return v
	}
	v.fwd, v.detail = forwarded(st.Reason, varied)
	if st.Stored || st.Storing {
		v.TTL, v.Timed = st.TTL, true
	}
	switch {
	case st.Oversized:
		v.detail = string(rfc9111.RefuseSize)
	case st.Err != nil && v.detail == "":
		v.detail = "cache-error"
	}
	return v
}

// forwarded is the RFC 9211 word for a reason of the Store, and the rest of it.
func forwarded(reason string, varied bool) (fwd, detail string) {
	switch reason {
	case strategies.ReasonStale, strategies.ReasonExpired, strategies.ReasonLoadFailed:
		return "stale", ""
	case strategies.ReasonForced:
		return "request", ""
	case strategies.ReasonInvalidated, strategies.ReasonUndecodable:
		return "miss", reason
	case strategies.ReasonError, strategies.ReasonBreaker, strategies.ReasonDisabled, strategies.ReasonQuota:
		return "bypass", reason
	}
	if varied {
		return "vary-miss", ""
	}
	return "uri-miss", ""
}
