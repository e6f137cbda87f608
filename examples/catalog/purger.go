package catalog

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Bounds of what the CDN is told: tags of one call, and tags that are owed.
const (
	purgeTags = 16
	owedTags  = 256
)

// How long the CDN's API may take, and how long it is left alone after a failure.
const (
	purgeTimeout   = time.Second
	firstPurgeRest = time.Second
	lastPurgeRest  = time.Minute
)

// purger tells a CDN of invalidations, after Redis has heard of them. What it
// could not tell is pending: a later request tells it, not before a pause that
// doubles, until the CDN can hold no answer from before. A nil purger owes nothing.
type purger struct {
	call  func(ctx context.Context, tags []string) error
	ready func() bool
	all   []string      // the tags of everything
	keep  time.Duration // how old an answer in the CDN can be
	warn  func(err error, left int)

	mu      sync.Mutex
	seq     uint64
	owed    map[string]debt // by tag
	sending bool
	pause   time.Duration
	rest    time.Time // nothing is sent before
}

// debt says when a tag was last invalidated.
type debt struct {
	at  time.Time
	seq uint64
}

// owe notes tags that the CDN is to be told.
func (p *purger) owe(tags []string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owed == nil {
		p.owed = map[string]debt{}
	}
	if len(p.owed)+len(tags) > owedTags {
		clear(p.owed)
		tags = p.all
	}
	p.seq++
	for _, tag := range tags {
		p.owed[tag] = debt{time.Now(), p.seq}
	}
}

// pending is how many tags the CDN has not heard of.
func (p *purger) pending() int {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	return len(p.owed)
}

// forget drops what the CDN cannot hold any more: answers from before can enter
// it until Redis has heard of the invalidation. The caller has locked.
func (p *purger) forget() {
	ready := len(p.owed) == 0 || p.ready()
	for tag, d := range p.owed {
		switch {
		case !ready:
			p.owed[tag] = debt{time.Now(), d.seq}
		case time.Since(d.at) > p.keep:
			delete(p.owed, tag)
		}
	}
}

// send tells the CDN what is owed and reports whether nothing is left. One at a
// time does; what others owe meanwhile goes with it.
func (p *purger) send(ctx context.Context) bool {
	for {
		tags, seq, done := p.take()
		if len(tags) == 0 {
			return done
		}
		bounded, cancel := context.WithTimeout(ctx, purgeTimeout)
		err := p.call(bounded, tags)
		cancel()
		if left := p.ended(tags, seq, err); err != nil {
			p.warn(err, left)
			return false
		}
	}
}

// take returns what is to be sent now, as it was owed at seq. Without anything it
// says whether nothing is owed.
func (p *purger) take() (tags []string, seq uint64, done bool) {
	if p == nil {
		return nil, 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	if len(p.owed) == 0 {
		return nil, 0, true
	}
	if p.sending || time.Now().Before(p.rest) || !p.ready() {
		return nil, 0, false
	}
	p.sending = true
	tags = slices.Sorted(maps.Keys(p.owed))
	return tags[:min(len(tags), purgeTags)], p.seq, false
}

// ended notes how a call ended. What was invalidated again after seq stays owed.
func (p *purger) ended(tags []string, seq uint64, err error) (left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending = false
	if err != nil {
		p.pause = min(max(2*p.pause, firstPurgeRest), lastPurgeRest)
		p.rest = time.Now().Add(p.pause)
		return len(p.owed)
	}
	p.pause = 0
	for _, tag := range tags {
		if p.owed[tag].seq <= seq {
			delete(p.owed, tag)
		}
	}
	return len(p.owed)
}

// last tells what is left without regard to the pause: nobody comes after it.
func (p *purger) last(ctx context.Context) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.rest = time.Time{}
	p.mu.Unlock()
	p.send(ctx)
}
