package engine

import (
	"errors"
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

// encode makes the bodies of a job's entries: of its key's own and, behind that,
// of its variant.
func (j *job) encode(c *Class) {
	if j.bodies != nil || j.unencoded != nil {
		return
	}
	if j.negative() {
		j.bodies = [][]byte{nil}
		return
	}
	values := []any{j.load.Value}
	if v := j.load.Variant; v != nil {
		values = []any{v.Base, j.load.Value}
	}
	for _, v := range values {
		body, err := c.encode(v)
		if err != nil {
			j.unencoded = err
			return
		}
		j.bodies = append(j.bodies, body)
	}
}

// ownBody is the encoded value of the job, nil if it could not be encoded.
func (j *job) ownBody() []byte {
	if j.unencoded != nil {
		return nil
	}
	return j.bodies[len(j.bodies)-1]
}

// encode runs in a goroutine of ours: a panic of a Codec must not end the process.
func (c *Class) encode(value any) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = c.e.cfg.Panicked(p)
		}
	}()
	if body, err = c.cfg.Codec.Encode(value); err != nil {
		return nil, fmt.Errorf("strategies: encode %s: %w", c.cfg.Name, err)
	}
	return body, nil
}

// entries are the commands that store a job's result.
func (r *run) entries(j *job, took time.Duration) (parcel, error) {
	c, l := r.c, &j.load
	j.encode(c)
	if j.unencoded != nil {
		return parcel{}, j.unencoded
	}
	lives := life{l.TTL, l.StaleWhileRevalidate, l.StaleIfError}
	h := c.header(lives, took, j.negative())
	p := parcel{job: j, ttl: h.Fresh}
	keys := []string{j.entry}
	if len(j.bodies) > 1 {
		base := c.e.space.Entry(c.cfg.Name, c.cfg.Version, j.key)
		keys = []string{base, variantEntry(base, l.Variant.Name)}
	}
	for i, body := range j.bodies {
		set, err := c.set(keys[i], h, lives.expiry(), j.snap.tokens, body)
		if err != nil {
			return p, err
		}
		p.cmds, p.size = append(p.cmds, set), p.size+len(set.Args()[2])
	}
	return p, nil
}

// set is the command that stores one entry, for as long as expiry says. A panic of
// a Compressor must not end the process, either.
func (c *Class) set(key string, h entry.Header, expiry time.Duration, tokens []flight.Token, body []byte) (set cmd, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = c.e.cfg.Panicked(p)
		}
	}()
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
	body, err := c.body(s)
	if err != nil {
		return nil, err
	}
	return c.decodeBody(body)
}

// body is what the codec made of an entry's value.
func (c *Class) body(s *snapshot) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, c.e.cfg.Panicked(p)
		}
	}()
	return s.entry.Body(c.e.cfg.Compression)
}

func (c *Class) decodeBody(body []byte) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			value, err = nil, c.e.cfg.Panicked(p)
		}
	}()
	return c.cfg.Codec.Decode(body)
}

// errNoCopy says that a value cannot be copied: it could not be encoded.
var errNoCopy = errors.New("strategies: the value cannot be encoded")

// copied returns a value of its own to one of the callers that share it.
func (c *Class) copied(body []byte) (any, error) {
	if body == nil {
		return nil, errNoCopy
	}
	return c.decodeBody(body)
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
