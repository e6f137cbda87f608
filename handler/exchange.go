package handler

import (
	"errors"
	"net/http"
	"time"

	"github.com/cldcde/restash/strategies"
)

// exchange is one request that goes through the cache.
type exchange struct {
	p    *preset
	next http.Handler
	w    http.ResponseWriter
	r    *http.Request
	// outer is the header as the middleware around this one had set it.
	outer http.Header

	key string
	// warming is what the request is, if it is no client's
	warming *mark
	asks    directives // the request's Cache-Control; nothing for presets
	turn    turn
}

// turn is what the earlier rounds of an exchange say of the next one. An
// attempt has a copy: its load may go on while the exchange starts over.
type turn struct {
	// known is a stored response that this request may not take as it is; the
	// handler is asked whether it still holds.
	known *response
	// why is the Cache-Status word for known.
	why string
	// fresh says that only a new answer will do.
	fresh bool
	// whole says that the handler is to be asked without conditions.
	whole bool
}

// maxRounds bounds how often a request starts over, because it first has to
// learn which fields select its answer or may not take the one it was given.
const maxRounds = 4

func (x *exchange) serve() {
	cfg := x.p.cfg
	x.asks = noDirectives()
	x.outer = x.w.Header().Clone()
	if cfg.preset() {
		x.key = cfg.presetKey(x.r)
	} else {
		x.key = x.rfcKey()
		if lines := x.r.Header["Cache-Control"]; len(lines) > 0 {
			x.asks = parseCacheControl(lines)
		}
	}
	if x.passes() {
		if h := x.w.Header(); cfg.preset() && len(h["Cache-Control"]) == 0 {
			h["Cache-Control"] = onlyPrivate // until the handler says otherwise, as on its first answer
		}
		x.direct("hit-for-pass")
		return
	}
	names := x.names()
	for range maxRounds {
		next, answered := x.round(names)
		if answered {
			return
		}
		names = next
	}
	x.direct("undecided")
}

// names are the request fields that select the answer, as far as they are known.
func (x *exchange) names() []string {
	if x.p.cfg.preset() {
		return x.p.cfg.Vary
	}
	return x.p.vary.of(x.key)
}

// refresh sees to the refresh of a stale answer, which the client has by now.
// The handler may not run on when the request has ended, so it runs here, for
// a short while; a client of HTTP/1.1 waits for that with its next request on
// the same connection only.
func (x *exchange) refresh(a *attempt) {
	if !a.later.Due() {
		return
	}
	ctx := x.r.Context()
	if x.p.cfg.Advanced.Detach && a.later.Go(func() { a.later.Do(ctx) }) {
		return
	}
	_ = http.NewResponseController(x.w).Flush() // one that cannot sends the end later
	a.later.Run(ctx)
}

func (x *exchange) rfcKey() string {
	if x.p.cfg.Key != nil {
		return x.p.cfg.Key(x.r)
	}
	return locate(x.r).key(x.r.URL.EscapedPath(), x.r.URL.RawQuery)
}

// variant names this request's values of the given fields.
func (x *exchange) variant(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return variantOf(names, x.p.cfg.selecting(x.r.Header))
}

// round asks the cache once. It returns the list to ask with next, or that
// the client has its answer.
func (x *exchange) round(names []string) (next []string, answered bool) {
	a := newAttempt(x, names)
	resp, err := a.fetch()
	switch {
	case a.ran && err != nil:
		a.cap.deliver(refuseTime) // too late to be stored, not to be sent
	case a.out != nil && a.out.refused == refuseCut && x.r.Method == http.MethodGet:
		a.cap.deliver(refuseCut) // the client sees the break, as without a cache
	}
	if a.cap.leave() {
		x.sent(a)
		return nil, true
	}
	own, ran := a.out, a.ran
	switch {
	case own != nil && own.panicked != nil:
		panic(own.panicked)
	case own != nil && own.absent:
		x.refuse(http.StatusGatewayTimeout, "not in the cache", "only-if-cached")
		return nil, true
	case own != nil && own.again:
		x.turn = turn{why: x.turn.why, whole: true, fresh: true}
		return names, false
	case err != nil:
		x.failed(err, ran)
		return nil, true
	case resp.marker:
		a.keepMarker(x.r.Context())
		return x.p.vary.learn(x.key, resp.vary), false
	case own == nil && x.variant(resp.vary) != resp.variant:
		return x.p.vary.learn(x.key, resp.vary), false
	case own == nil && !x.p.cfg.preset():
		if why := x.unfit(resp, a.status); why != "" {
			x.turn = turn{known: resp, why: why, fresh: true, whole: x.turn.whole}
			return names, false
		}
	}
	x.answer(resp, a, own)
	x.refresh(a)
	return nil, true
}

// answer sends a response that was not sent while it was made.
func (x *exchange) answer(resp *response, a *attempt, own *outcome) {
	v := a.verdict(own)
	x.tally(v, own)
	if own != nil {
		merge(x.w.Header(), own.dropped)
	}
	now := time.Now()
	if !x.p.cfg.preset() {
		val := assess(resp, x.p.cfg.Advanced.Targets, now)
		if v.timed = own == nil || v.stored; v.timed {
			v.ttl = val.lifetime - val.age
		}
		if own == nil && v.ttl < 0 {
			v.state = strategies.Stale
		}
	}
	x.write(resp, v, own != nil && !own.fromStore, now)
}

// unfit says why a stored response may not answer this request, in the words
// of Cache-Status; "" if it may (RFC 9111 sections 4.2.4, 5.2.1 and 5.2.2.4).
func (x *exchange) unfit(resp *response, st strategies.Status) string {
	v := assess(resp, x.p.cfg.Advanced.Targets, time.Now())
	// A hit is refreshed by the Store at its next read, if not at this one.
	return x.judge(v, st.State != strategies.Miss)
}

func (x *exchange) judge(v validity, refreshing bool) string {
	ask := x.asks
	reload := ask.maxAge != unset && v.age > ask.maxAge.duration() && !(v.immutable && v.fresh())
	switch {
	case ask.noCache:
		return "request"
	case reload:
		return "request"
	case ask.minFresh != unset && v.lifetime-v.age < ask.minFresh.duration():
		return "request"
	case v.fresh():
		return ""
	case !v.mayBeStale():
		return "stale"
	case ask.maxStaleAny, ask.maxStale != unset && v.staleness() <= ask.maxStale.duration():
		return ""
	case refreshing && v.staleness() <= v.revalidateWindow():
		return ""
	}
	return "stale"
}

// failed answers when neither the cache nor the handler did. ran says that
// the handler ran for this request: then it does not run again.
func (x *exchange) failed(err error, ran bool) {
	var p *strategies.PanicError
	switch {
	case x.r.Context().Err() != nil: // the client has left
	case ran && errors.As(err, &p):
		panic(p.Value)
	case ran:
		x.refuse(http.StatusServiceUnavailable, "the handler took too long", "timeout")
	default:
		x.direct("cache-error")
	}
}

func (x *exchange) refuse(status int, text, detail string) {
	v := verdict{state: strategies.Miss, fwd: "miss", detail: detail}
	h := x.w.Header()
	v.write(h)
	h.Set("Cache-Control", "no-store")
	http.Error(x.w, text, status)
}

// direct runs the handler on the client's writer, around the cache.
func (x *exchange) direct(detail string) {
	x.p.count.bypass.Add(1)
	v := verdict{state: strategies.Bypass, fwd: "bypass", detail: detail}
	v.write(x.w.Header())
	inner := x.p.cfg.innerRequest(x.r)
	inner.Method = x.r.Method
	for _, name := range append(conditions, "Range") {
		restore(inner.Header, x.r.Header, name)
	}
	x.next.ServeHTTP(x.w, inner)
}

// sent counts an answer that went out while the handler wrote it.
func (x *exchange) sent(a *attempt) {
	own := a.out
	x.tally(a.verdict(own), own)
	if own != nil && own.panicked != nil {
		panic(own.panicked)
	}
}

func (x *exchange) tally(v verdict, own *outcome) {
	n := &x.p.count
	switch v.state {
	case strategies.Hit:
		n.hits.Add(1)
	case strategies.Stale:
		n.stale.Add(1)
	case strategies.Bypass:
		n.bypass.Add(1)
	default:
		n.misses.Add(1)
	}
	if v.collapsed {
		n.collapsed.Add(1)
	}
	if own == nil {
		return
	}
	switch own.refused {
	case "":
	case refuseSize:
		n.oversized.Add(1)
	case refuseCut:
		n.cut.Add(1)
	default:
		n.passed.Add(1)
	}
	if own.validated {
		n.validated.Add(1)
	}
}
