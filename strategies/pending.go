package strategies

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cldcde/restash/internal/keyspace"
)

// maxPending is how many pending tokens one request carries. More take more
// requests.
const maxPending = 1000

// pendingTokens are the token keys whose new token Redis has not confirmed.
type pendingTokens struct {
	mu   sync.Mutex
	seq  uint64
	keys map[string]asked
}

// asked says when a key was asked for: first since it was last confirmed, and last.
type asked struct{ first, last uint64 }

// sending is a try to confirm what is pending.
type sending struct {
	keys []string
	seqs []uint64
	cmds []cmd
}

// confirmed reports whether none of the keys is pending that was asked for up to
// seq, or without keys whether nothing is.
func (p *pendingTokens) confirmed(keys []string, seq uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(keys) == 0 {
		return len(p.keys) == 0
	}
	return !slices.ContainsFunc(keys, func(k string) bool {
		a, pending := p.keys[k]
		return pending && a.first <= seq
	})
}

func (p *pendingTokens) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.keys)
}

// add queues token keys and returns when.
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
		p.keys[k] = a
	}
	return p.seq
}

// take makes the commands that confirm what is pending now, each with a new
// token: an earlier try with an unknown end may still arrive.
func (p *pendingTokens) take() sending {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.keys) == 0 {
		return sending{}
	}
	var s sending
	for k, a := range p.keys {
		if len(s.keys) == maxPending {
			break
		}
		s.keys, s.seqs = append(s.keys, k), append(s.seqs, a.last)
	}
	s.cmds = tokenSets(s.keys)
	return s
}

// done drops a key unless it was asked for again since.
func (p *pendingTokens) done(key string, seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, there := p.keys[key]
	switch {
	case !there:
	case a.last == seq:
		delete(p.keys, key)
	case a.first <= seq:
		a.first = seq + 1
		p.keys[key] = a
	}
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
func (s *Store) confirm(sent sending, replies []reply) {
	for i, key := range sent.keys {
		if replies[i].err == nil {
			s.pending.done(key, sent.seqs[i])
		}
	}
	if len(sent.keys) > 0 {
		s.void(sent.keys)
	}
}

// void makes loads and local values that depend on the tokens unusable.
func (s *Store) void(keys []string) {
	s.flights.Void(keys)
	if s.cfg.Local != nil {
		s.cfg.Local.Void(keys)
	}
}

// replaceTokens gives each key a new token, now if possible. What is not
// confirmed is pending, and the error is then [ErrPending] with its cause.
func (s *Store) replaceTokens(ctx context.Context, keys []string) (cost, error) {
	s.void(keys)
	seq := s.pending.add(keys)
	return s.sendPending(ctx, seq, keys...)
}

// sendPending sends what is pending, in as many requests as it takes, and once
// more if a try had an unknown end. It succeeds when the given keys are confirmed as
// they were asked for at seq, without any when all are: others may ask for them
// again meanwhile.
func (s *Store) sendPending(ctx context.Context, seq uint64, keys ...string) (cost, error) {
	var spent cost
	var cause error
	start := time.Now()
	// The database was changed: the caller's leaving must not keep the cache
	// from hearing of it.
	detached := context.WithoutCancel(ctx)
	for tries := 0; tries < 2; {
		if s.pending.confirmed(keys, seq) {
			return spent, nil
		}
		before := s.pending.len()
		_, c, err := s.call(detached, s.cfg.Budget-time.Since(start))
		spent.add(c)
		if cause = errors.Join(cause, err); err == nil && s.pending.confirmed(keys, seq) {
			return spent, nil
		}
		if err == nil && s.pending.len() < before {
			start = time.Now() // the next request has a budget of its own
			continue
		}
		tries++
	}
	s.log.warn("pending", "cache invalidations are pending", "tokens", s.pending.len(), "cause", cause)
	return spent, pendingError(cause)
}

func pendingError(cause error) error {
	if cause == nil {
		return ErrPending
	}
	return &pendingFailure{cause}
}

// pendingFailure is ErrPending with what kept it from being confirmed.
type pendingFailure struct{ cause error }

func (e *pendingFailure) Error() string {
	return ErrPending.Error() + ": " + strings.ReplaceAll(e.cause.Error(), "\n", "; ")
}

func (e *pendingFailure) Unwrap() []error { return []error{ErrPending, e.cause} }

// flushPending confirms what is pending, as long as ctx allows.
func (s *Store) flushPending(ctx context.Context) error {
	if s.c == nil || s.pending.len() == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return pendingError(err)
	}
	_, err := s.sendPending(ctx, 0)
	return err
}

// lastTryFor bounds [Store.Close] where its caller does not.
const lastTryFor = 5 * time.Second

// lastTry sends what is pending until Redis confirms it or ctx ends. Nothing
// comes after it, so an open breaker does not hold it back.
func (s *Store) lastTry(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lastTryFor)
		defer cancel()
	}
	for {
		s.breaker.Reset()
		err := s.flushPending(ctx)
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
