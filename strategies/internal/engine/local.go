package engine

import (
	"slices"
	"time"

	"github.com/cldcde/restash/breaker"
)

func (c *Class) localKey(key string, o *Options) LocalKey {
	return LocalKey{Handle: c.cfg.Name, Version: c.cfg.Version, Key: key, Variant: o.Variant}
}

// Local answers from the process's own cache if that can. Strict engines and
// forced calls do not ask it. While the breaker is open it may answer with what
// nobody can check at the moment: that is stale, and goes on as long as a
// failing load would allow.
func (c *Class) Local(key string, o *Options) (any, Status, bool) {
	e := c.e
	if e.cfg.Local == nil || e.cfg.Strict || o.Force || e.off() {
		return nil, Status{}, false
	}
	e.thaw()
	v, ok := e.cfg.Local.Get(c.localKey(key, o))
	state, left := Hit, time.Until(v.Fresh)
	more := left
	if v.Unchecked {
		state, more = Stale, left+o.StaleIfError
		ok = ok && e.breaker.State() == breaker.Open
	}
	if !ok || more <= 0 || !c.covered(v.Tokens, key, o) {
		return nil, Status{}, false
	}
	if body, encoded := v.Value.(encodedValue); encoded {
		own, err := c.copied(body)
		if err != nil {
			return nil, Status{}, false
		}
		v.Value = own
	}
	st := Status{State: state, StoredAt: v.StoredAt, TTL: left}
	if !o.Uncounted && !o.Warm {
		c.answered(state, false)
	}
	c.count(CountLocalHits, 1)
	c.count(CountCommandsSaved, 1)
	if trace := e.cfg.Trace.Answer; trace != nil {
		trace(c.cfg.Name, key, st, 0)
	}
	return v.Value, st, true
}

// covered reports whether a value was checked against every tag of this call;
// the other tokens are the same for all calls.
func (c *Class) covered(tokens []string, key string, o *Options) bool {
	tags := o.Tags
	if o.KeyTags != nil {
		tags = append(tags[:len(tags):len(tags)], o.KeyTags(key)...)
	}
	for _, t := range tags {
		if !slices.Contains(tokens, c.e.space.Tag(t, false)) {
			return false
		}
	}
	return true
}

// encodedValue is what the local cache holds where each caller gets a value of
// its own.
type encodedValue []byte

// keepLocal hands a value that was just found valid to the local cache.
func (c *Class) keepLocal(key string, o *Options, s *snapshot, value any) {
	if c.e.cfg.Local == nil || c.e.cfg.Strict {
		return
	}
	if c.cfg.Copy {
		body, err := c.body(s)
		if err != nil {
			return
		}
		value = encodedValue(slices.Clone(body))
	}
	v := LocalValue{Value: value, Tokens: appendKeys(nil, s.tokens), StoredAt: s.entry.Stored, Fresh: s.entry.Deadline(), Size: len(s.data)}
	c.e.cfg.Local.Put(c.localKey(key, o), v, s.stamp)
}
