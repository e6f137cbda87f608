package strategies

import (
	"slices"
	"time"
)

// Local is a cache in the process, in front of Redis, for values that were
// found valid there. It must be safe for concurrent use. Package
// strategies/local has one.
type Local interface {
	// Get returns what was put under key and is still good.
	Get(key LocalKey) (LocalValue, bool)
	// Stamp is taken before a read whose result may be Put.
	Stamp() uint64
	// Put remembers a value, unless one of its tokens was voided since the
	// stamp; the implementation decides for how long.
	Put(key LocalKey, v LocalValue, stamp uint64)
	// Void forgets what depends on one of the tokens.
	Void(tokens []string)
	// Clear forgets everything.
	Clear()
}

// LocalKey names a value of a process.
type LocalKey struct{ Handle, Version, Key, Variant string }

// LocalValue is a decoded value. Callers share it: nobody changes it.
type LocalValue struct {
	Value any
	// Tokens are the Redis keys of the tokens it was checked against.
	Tokens []string
	// StoredAt is when it was stored in Redis, Fresh when its TTL ends.
	StoredAt, Fresh time.Time
	// Size of the entry in Redis, in bytes.
	Size int
}

func (c *Cache[T]) localKey(key string, o *options) LocalKey {
	return LocalKey{Handle: c.cfg.Name, Version: c.fp, Key: key, Variant: o.variant}
}

// fromLocal answers from the process's own cache if there is one. Strict
// Stores and forced calls do not ask it.
func (c *Cache[T]) fromLocal(key string, o *options) (T, bool) {
	var zero T
	s := c.store
	if s.cfg.Local == nil || s.cfg.Strict || o.force || s.off() {
		return zero, false
	}
	s.thaw()
	v, ok := s.cfg.Local.Get(c.localKey(key, o))
	if !ok || !c.covered(v.Tokens, key, o) {
		return zero, false
	}
	left := time.Until(v.Fresh)
	value, ok := v.Value.(T)
	if left <= 0 || !ok {
		return zero, false
	}
	if o.status != nil {
		o.status.State, o.status.StoredAt, o.status.TTL = Hit, v.StoredAt, left
	}
	c.answered(Hit, false)
	c.count(countLocal, 1)
	c.count(countSaved, 1)
	if trace := s.cfg.Trace.Answer; trace != nil {
		trace(c.cfg.Name, key, Status{State: Hit, StoredAt: v.StoredAt, TTL: left}, 0)
	}
	return value, true
}

// covered reports whether the value was checked against every tag of this
// call; the other tokens are the same for all calls.
func (c *Cache[T]) covered(tokens []string, key string, o *options) bool {
	tags := o.tags
	if o.keyTags != nil {
		tags = append(tags[:len(tags):len(tags)], o.keyTags(key)...)
	}
	for _, t := range tags {
		if !slices.Contains(tokens, c.store.space.Tag(t, false)) {
			return false
		}
	}
	return true
}

// keepLocal hands a value that was just found valid to the local cache.
func (f *fetch[T]) keepLocal(a *answer, value T) {
	s := f.c.store
	if s.cfg.Local == nil || s.cfg.Strict {
		return
	}
	v := LocalValue{Value: value, Tokens: make([]string, len(a.tokens)), StoredAt: a.entry.Stored, Fresh: a.entry.Deadline(), Size: len(a.data)}
	for i, t := range a.tokens {
		v.Tokens[i] = t.Key
	}
	s.cfg.Local.Put(f.c.localKey(f.q.key, &f.o), v, a.stamp)
}
