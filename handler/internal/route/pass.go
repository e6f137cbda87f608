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
	new, old map[string]pass
}

const (
	passFor = 30 * time.Second
	// maxPasses bounds each of two generations; the older one is forgotten.
	maxPasses = 4096
)

// pass is what is remembered of a key.
type pass struct {
	until time.Time
	// said is that the answer had a Cache-Control of its own.
	said bool
}

func (p *passes) add(key string, said bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.new == nil || len(p.new) >= maxPasses {
		p.old, p.new = p.new, make(map[string]pass)
	}
	p.new[key] = pass{now.Add(passFor), said}
}

func (p *passes) has(key string, now time.Time) (said, there bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, there := p.new[key]
	if !there {
		known, there = p.old[key]
	}
	return known.said, there && now.Before(known.until)
}

// lasting reports whether the next answer is likely to be refused as well, also
// to somebody else.
func lasting(why rfc9111.Refusal) bool {
	switch why {
	case rfc9111.RefuseNoStore, rfc9111.RefusePrivate, rfc9111.RefuseCookie, rfc9111.RefuseVary, rfc9111.RefuseLifetime, rfc9111.RefuseStream, rfc9111.RefuseSize,
		rfc9111.RefuseNoCache, rfc9111.RefuseMaxAge, rfc9111.RefuseExpired, rfc9111.RefuseTargeted, rfc9111.RefuseNonce:
		return true
	}
	return false
}
