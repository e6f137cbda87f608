package engine

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
)

// life is how long a value may be used; its TTL is shortened by the jitter.
type life struct{ ttl, swr, sie time.Duration }

// expiry is how long the entry stays in Redis. The jitter has no part in it, so
// that entries stored together share a lifetime, and an MSETEX.
func (l life) expiry() time.Duration {
	return min(min(l.ttl, MaxExpiry)+max(l.swr, l.sie), MaxExpiry)
}

func (c *Class) header(l life, took time.Duration, negative bool) entry.Header {
	ttl := min(l.ttl, MaxExpiry)
	if j := c.cfg.Jitter; j > 0 {
		ttl -= time.Duration(rand.Float64() * j * float64(ttl))
	}
	return entry.Header{
		Stored: time.Now(), Fresh: max(ttl, time.Millisecond),
		StaleWhileRevalidate: min(l.swr, MaxExpiry-ttl), StaleIfError: min(l.sie, MaxExpiry-ttl),
		LoadTime: took, Negative: negative,
	}
}

// entries are the commands that store a job's result.
func (r *run) entries(j *job, took time.Duration) (parcel, error) {
	c, l := r.c, &j.load
	lives := life{l.TTL, l.StaleWhileRevalidate, l.StaleIfError}
	h := c.header(lives, took, j.negative())
	p := parcel{job: j, ttl: h.Fresh}
	add := func(key string, value any) error {
		set, err := c.set(key, h, lives.expiry(), j.snap.tokens, value)
		if err != nil {
			return err
		}
		p.cmds, p.size = append(p.cmds, set), p.size+len(set.Args()[2])
		return nil
	}
	if l.Variant == nil || h.Negative {
		return p, add(j.entry, l.Value)
	}
	base := c.e.space.Entry(c.cfg.Name, c.cfg.Version, j.key)
	if err := add(base, l.Variant.Base); err != nil {
		return p, err
	}
	return p, add(variantEntry(base, l.Variant.Name), l.Value)
}

// set is the command that stores one entry, for as long as expiry says.
// It runs in a goroutine of ours: a panic of a Codec or a Compressor must not end
// the process.
func (c *Class) set(key string, h entry.Header, expiry time.Duration, tokens []flight.Token, value any) (set cmd, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = c.e.cfg.Panicked(p)
		}
	}()
	var body []byte
	if !h.Negative {
		if body, err = c.cfg.Codec.Encode(value); err != nil {
			return cmd{}, fmt.Errorf("strategies: encode %s: %w", c.cfg.Name, err)
		}
	}
	marks := make([]entry.Mark, len(tokens))
	for i, t := range tokens {
		marks[i] = entry.Mark{ID: t.ID, Token: t.Value}
	}
	data, err := entry.Append(nil, h, marks, body, c.e.cfg.Compression, c.cfg.CompressFrom)
	if err != nil {
		return cmd{}, err
	}
	if limit := c.e.cfg.ValueLimit; len(data) > limit {
		return cmd{}, fmt.Errorf("%w: %d bytes, the limit is %d", errOversized, len(data), limit)
	}
	return setPX(key, string(data), expiry), nil
}

// decode returns the value of an entry that is not negative.
func (c *Class) decode(s *snapshot) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			value, err = nil, c.e.cfg.Panicked(p)
		}
	}()
	body, err := s.entry.Body(c.e.cfg.Compression)
	if err != nil {
		return nil, err
	}
	return c.cfg.Codec.Decode(body)
}

// parcel is what is sent for one job: the commands that store its value, or the
// one that removes the entry which nothing takes the place of.
type parcel struct {
	job  *job
	cmds []cmd
	size int
	ttl  time.Duration
	gone bool
}
