package engine

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// maxPending is how many pending tokens one request carries. More take more
// requests.
const maxPending = 1000

// What Redis did not confirm goes with a later request, not before a pause that
// doubles: a Redis that is full or away is not asked by every request.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// pendingTokens are the token keys whose new token Redis has not confirmed.
// Until it has, this process treats them as replaced.
type pendingTokens struct {
	mu    sync.Mutex
	seq   uint64
	keys  map[string]asked
	pause time.Duration // 0: the last try was confirmed
	until time.Time
	// refused says that Redis answered the last try, and said no.
	refused bool
}

// asked says when a key was asked for, first since it was last confirmed and
// last, and how many are about to send it.
type asked struct {
	first, last uint64
	senders     int
}

// sending is a try to confirm what is pending.
type sending struct {
	keys []string
	seqs []uint64
	cmds []cmd
}

func (p *pendingTokens) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.keys)
}

// hold are the keys that are pending now, which the caller is about to send, and
// when that is.
func (p *pendingTokens) hold() ([]string, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, a := range p.keys {
		a.senders++
		p.keys[k] = a
	}
	return slices.Collect(maps.Keys(p.keys)), p.seq
}

// replaced reports whether a hard token, or a soft one, is pending: what is
// read now may not show it.
func (p *pendingTokens) replaced(tokens []flight.Token) (hard, soft bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.keys) == 0 {
		return false, false
	}
	for _, t := range tokens {
		if _, pending := p.keys[t.Key]; pending {
			hard, soft = hard || !isSoft(t.ID), soft || isSoft(t.ID)
		}
	}
	return hard, soft
}

// add queues token keys, which the caller is about to send, and returns when.
func (p *pendingTokens) add(keys []string) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keys == nil {
		p.keys = map[string]asked{}
	}
	p.seq++
	for _, k := range keys {
		a, there := p.keys[k]
		if !there {
			a.first = p.seq
		}
		a.last = p.seq
		a.senders++
		p.keys[k] = a
	}
	return p.seq
}

// leave says that the caller of add, hold or due sends the keys no more.
func (p *pendingTokens) leave(keys []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range keys {
		if a, there := p.keys[k]; there && a.senders > 0 {
			a.senders--
			p.keys[k] = a
		}
	}
}

// take makes the commands for those of the keys that are not confirmed as they
// were asked for at seq, each with a new token: an earlier try with an unknown
// end may still arrive.
func (p *pendingTokens) take(keys []string, seq uint64) sending {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s sending
	for _, k := range keys {
		if a, pending := p.keys[k]; pending && a.first <= seq {
			s.keys, s.seqs = append(s.keys, k), append(s.seqs, a.last)
		}
	}
	s.cmds = tokenSets(s.keys)
	return s
}

// due is what a request carries that has another purpose: what nobody sends,
// when the pause is over. Where Redis said no it is asked for one token first.
func (p *pendingTokens) due(now time.Time) sending {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s sending
	if len(p.keys) == 0 || now.Before(p.until) {
		return s
	}
	most := maxPending
	if p.refused {
		most = 1
	}
	for k, a := range p.keys {
		if len(s.keys) == most {
			break
		}
		if a.senders == 0 {
			s.keys, s.seqs = append(s.keys, k), append(s.seqs, a.last)
			a.senders++
			p.keys[k] = a
		}
	}
	s.cmds = tokenSets(s.keys)
	return s
}

// done drops the keys that were confirmed and were not asked for again since.
// Nil replies say that there was no answer.
func (p *pendingTokens) done(s sending, replies []reply, now time.Time) (confirmed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, key := range s.keys {
		if replies == nil || replies[i].err != nil {
			continue
		}
		confirmed = append(confirmed, key)
		a := p.keys[key]
		switch {
		case a.last == s.seqs[i]:
			delete(p.keys, key)
		case a.first <= s.seqs[i]:
			a.first = s.seqs[i] + 1
			p.keys[key] = a
		}
	}
	p.rest(len(confirmed) == len(s.keys), replies != nil, now)
	return confirmed
}

// rest notes how a try ended.
func (p *pendingTokens) rest(well, answered bool, now time.Time) {
	if well {
		p.pause, p.until, p.refused = 0, time.Time{}, false
		return
	}
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	p.until, p.refused = now.Add(p.pause), answered
}

func tokenSets(keys []string) []cmd {
	now := time.Now()
	cmds := make([]cmd, len(keys))
	for i, k := range keys {
		cmds[i] = setPX(k, string(keyspace.NewToken(now)), tokenLife)
	}
	return cmds
}
