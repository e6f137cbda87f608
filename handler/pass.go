package handler

import (
	"net/http"
	"sync"
	"time"
)

// passes remembers keys whose answers may not be stored: for a while requests for
// them go straight to the handler. Otherwise each would ask Redis for nothing,
// and clients that come at once would wait for each other.
type passes struct {
	mu       sync.Mutex
	new, old map[string]time.Time // until when
}

const (
	passFor = 30 * time.Second
	// maxPasses bounds each of two generations; the older one is forgotten.
	maxPasses = 4096
)

func (p *passes) add(key string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.new == nil || len(p.new) >= maxPasses {
		p.old, p.new = p.new, make(map[string]time.Time)
	}
	p.new[key] = now.Add(passFor)
}

func (p *passes) has(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, there := p.new[key]
	if !there {
		until, there = p.old[key]
	}
	return there && now.Before(until)
}

// lasting reports whether the next answer is likely to be refused as well, also
// to somebody else.
func (why refusal) lasting() bool {
	switch why {
	case refuseNoStore, refusePrivate, refuseCookie, refuseVary, refuseLifetime, refuseStream, refuseSize,
		refuseNoCache, refuseMaxAge, refuseExpired, refuseTargeted:
		return true
	}
	return false
}

// remember notes that answers to requests like this one are not stored. Where
// the answer's own headers decide, one user's answer says nothing about another's.
func (x *exchange) remember(why refusal, answer http.Header) {
	if !why.lasting() || !x.p.cfg.preset() && (personal(x.r.Header) || len(answer["Vary"]) > 0 || len(x.names()) > 0) {
		return
	}
	x.p.passes.add(x.key, time.Now())
}

// passes reports whether the request is to go straight to the handler. What it
// says of the cache itself, it says to the cache.
func (x *exchange) passes() bool {
	return x.warming == nil && len(x.r.Header["Cache-Control"]) == 0 && x.p.passes.has(x.key, time.Now())
}

func personal(h http.Header) bool {
	for name := range h {
		if tellsWho(name) {
			return true
		}
	}
	return false
}
