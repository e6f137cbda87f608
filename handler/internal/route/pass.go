package route

import (
	"sync"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
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

// lasting reports whether the next answer is likely to be rfc9111.Refused as well, also
// to somebody else.
func lasting(why rfc9111.Refusal) bool {
	switch why {
	case rfc9111.RefuseNoStore, rfc9111.RefusePrivate, rfc9111.RefuseCookie, rfc9111.RefuseVary, rfc9111.RefuseLifetime, rfc9111.RefuseStream, rfc9111.RefuseSize,
		rfc9111.RefuseNoCache, rfc9111.RefuseMaxAge, rfc9111.RefuseExpired, rfc9111.RefuseTargeted, rfc9111.RefuseNonce:
		return true
	}
	return false
}
