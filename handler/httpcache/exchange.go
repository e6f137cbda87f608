package httpcache

import (
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// exchange is one request through a cache that goes by the answers' headers.
type exchange struct {
	route.Exchange
	*cacher
	asks rfc9111.Directives // the request's Cache-Control
	// whole says that a whole answer is stored, which no part replaces.
	whole bool
}

// maxRounds bounds how often a request starts over, because it first has to
// learn which fields select its answer or may not take the one it was given.
const maxRounds = 4

func (c *cacher) serve(w http.ResponseWriter, r *http.Request, warming *route.Mark) {
	x := &exchange{cacher: c, asks: rfc9111.NoDirectives()}
	x.Exchange = route.Exchange{
		Route: c.route, Rules: x, Next: c.next, W: w, R: r, Warming: warming, Began: time.Now(),
		Key: c.cfg.key(r), Tags: c.cfg.tags(r),
	}
	if len(x.Tags) < len(c.cfg.Tags) {
		c.route.WarnOfTags(r, c.cfg.Tags, func(string) bool { return false })
	}
	if lines := r.Header["Cache-Control"]; len(lines) > 0 {
		x.asks = rfc9111.ParseCacheControl(lines)
	}
	if _, passes := x.Passes(); passes {
		x.Direct("hit-for-pass")
		return
	}
	names := c.lists.of(x.Key)
	for range maxRounds {
		a := x.Ask(names)
		if a == nil {
			return
		}
		var answered bool
		if names, answered = x.round(a, names); answered {
			return
		}
	}
	x.Direct("undecided")
}

// round answers, or returns the Vary list to ask with next.
func (x *exchange) round(a *route.Attempt, names []string) (next []string, answered bool) {
	resp, own := a.Resp, a.Out
	switch {
	case own != nil && own.Absent:
		x.Refuse(http.StatusGatewayTimeout, "not in the cache", "only-if-cached")
		return nil, true
	case own != nil && own.Again:
		x.Turn = route.Turn{Why: x.Turn.Why, Whole: true, Fresh: true}
		return names, false
	case resp.Marker:
		a.KeepMarker(x.R.Context())
		return x.lists.learn(x.Key, resp.Vary), false
	case own == nil && x.Variant(resp.Vary) != resp.Variant:
		return x.lists.learn(x.Key, resp.Vary), false
	case own == nil && x.lacks(resp):
		x.Turn = route.Turn{Known: resp, Why: "partial", Fresh: true, Whole: true}
		return names, false
	case own == nil:
		// A hit is refreshed by the Store at its next read, if not at this one.
		if why := x.unfit(x.assess(resp), a.Status.State != strategies.Miss); why != "" {
			x.Turn = route.Turn{Known: resp, Why: why, Fresh: true, Whole: x.Turn.Whole}
			return names, false
		}
	}
	x.Answer(a, x.verdict(a))
	return nil, true
}

func (x *exchange) assess(r *record.Response) rfc9111.Validity {
	return rfc9111.Assess(r.Stored, x.cfg.Advanced.Targets, time.Now())
}

// verdict is how the exchange was answered, with the freshness of the answer's
// own headers.
func (x *exchange) verdict(a *route.Attempt) route.Verdict {
	v := a.Verdict()
	val := x.assess(a.Resp)
	if v.Timed = a.Out == nil || v.Stored; v.Timed {
		v.TTL = val.Lifetime - val.Age
	}
	if a.Out == nil && v.TTL < 0 {
		v.State = strategies.Stale
	}
	return v
}

// unfit says why a stored response may not answer this request, in the words
// of Cache-Status; "" if it may (RFC 9111 sections 4.2.4, 5.2.1 and 5.2.2.4).
func (x *exchange) unfit(v rfc9111.Validity, refreshing bool) string {
	ask := x.asks
	reload := ask.MaxAge != rfc9111.Unset && v.Age > ask.MaxAge.Duration() && !(v.Immutable && v.Fresh())
	switch {
	case ask.NoCache:
		return "request"
	case reload:
		return "request"
	case ask.MinFresh != rfc9111.Unset && v.Lifetime-v.Age < ask.MinFresh.Duration():
		return "request"
	case v.Fresh():
		return ""
	case !v.MayBeStale():
		return "stale"
	case ask.MaxStaleAny, ask.MaxStale != rfc9111.Unset && v.Staleness() <= ask.MaxStale.Duration():
		return ""
	case refreshing && v.Staleness() <= v.RevalidateWindow():
		return ""
	}
	return "stale"
}

type cacher struct {
	cfg   Config
	route *route.Route
	lists *varyLists
	next  http.Handler
}

// lacks reports whether the stored response is a part that does not hold what
// the request asks for.
func (x *exchange) lacks(stored *record.Response) bool {
	if !stored.IsPart() {
		return false
	}
	_, holds := stored.Find(x.R.Header)
	return !holds || x.R.Method != http.MethodGet
}
