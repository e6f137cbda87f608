package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
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

// tokenLife is how long tokens live: longer than any entry that may name them,
// also one whose load and store took their longest.
const tokenLife = MaxExpiry + 15*time.Minute + time.Hour

func tokenSets(keys []string) []cmd {
	now := time.Now()
	cmds := make([]cmd, len(keys))
	for i, k := range keys {
		cmds[i] = setPX(k, string(keyspace.NewToken(now)), tokenLife)
	}
	return cmds
}

// confirm takes what was confirmed off the list and voids once more: loads may
// have begun between the first time and Redis's answer.
func (e *Engine) confirm(sent sending, replies []reply) {
	if len(sent.keys) == 0 {
		return
	}
	if confirmed := e.pending.done(sent, replies, time.Now()); len(confirmed) > 0 {
		e.void(confirmed)
	}
}

// void makes loads and local values that depend on the tokens unusable.
func (e *Engine) void(keys []string) {
	e.flights.Void(keys)
	if e.cfg.Local != nil {
		e.cfg.Local.Void(keys)
	}
}

// replaceTokens gives each key a new token, now if possible. What is not
// confirmed is pending, and the error is then [ErrPending] with its cause.
func (e *Engine) replaceTokens(ctx context.Context, keys []string) (cost, error) {
	e.void(keys)
	seq := e.pending.add(keys)
	defer e.pending.leave(keys)
	return e.sendPending(ctx, keys, seq)
}

// sendPending sends the keys until they are confirmed as they were asked for at
// seq, in as many requests as that takes. Others may ask for them again meanwhile.
func (e *Engine) sendPending(ctx context.Context, keys []string, seq uint64) (cost, error) {
	var spent cost
	var cause error
	for part := range slices.Chunk(keys, maxPending) {
		c, err := e.sendPart(ctx, part, seq)
		spent.add(c)
		if cause = errors.Join(cause, err); err != nil && !answered(err) {
			break // so would the next
		}
	}
	if cause == nil {
		return spent, nil
	}
	e.log.warn("pending", "cache invalidations are pending", "tokens", e.pending.len(), "cause", cause)
	return spent, &pendingFailure{cause}
}

// sendPart sends what fits into one request, once more if that had an unknown end.
func (e *Engine) sendPart(ctx context.Context, keys []string, seq uint64) (spent cost, err error) {
	start := time.Now()
	// The database was changed: the caller's leaving must not keep the cache
	// from hearing of it.
	detached := context.WithoutCancel(ctx)
	for range 2 {
		sent := e.pending.take(keys, seq)
		if len(sent.keys) == 0 {
			return spent, nil // others have sent them
		}
		replies, c, fail := e.setMany(detached, e.cfg.Budget-time.Since(start), sent.cmds)
		spent.add(c)
		e.confirm(sent, replies)
		if fail == nil {
			return spent, firstError(replies)
		}
		err = errors.Join(err, fail)
	}
	return spent, err
}

// pendingFailure is ErrPending with what kept it from being confirmed.
type pendingFailure struct{ cause error }

func (e *pendingFailure) Error() string {
	return ErrPending.Error() + ": " + strings.ReplaceAll(e.cause.Error(), "\n", "; ")
}

func (e *pendingFailure) Unwrap() []error { return []error{ErrPending, e.cause} }

// flushPending confirms what is pending, as long as ctx allows.
func (e *Engine) flushPending(ctx context.Context) error {
	if e.redis == nil || e.pending.len() == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return &pendingFailure{err}
	}
	keys, seq := e.pending.hold()
	defer e.pending.leave(keys)
	_, err := e.sendPending(ctx, keys, seq)
	return err
}

// lastTryFor bounds [Engine.Close] where its caller does not.
const lastTryFor = 5 * time.Second

// lastTry sends what is pending until Redis confirms it or ctx ends. Nothing
// comes after it, so an open breaker does not hold it back.
func (e *Engine) lastTry(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lastTryFor)
		defer cancel()
	}
	for {
		e.breaker.Reset()
		err := e.flushPending(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}
