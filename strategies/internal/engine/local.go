package engine

import (
	"slices"
	"time"
)

// Local is a cache in the process, asked before Redis.
type Local interface {
	Get(key LocalKey) (LocalValue, bool)
	Stamp() uint64
	Put(key LocalKey, v LocalValue, stamp uint64)
	Void(tokens []string)
	Clear()
}

// LocalKey names a value of a process.
type LocalKey struct{ Handle, Version, Key, Variant string }

// LocalValue is a decoded value; package strategies says what its fields are.
type LocalValue struct {
	Value           any
	Tokens          []string
	StoredAt, Fresh time.Time
	Size            int
}

func (c *Class) localKey(key string, o *Options) LocalKey {
	return LocalKey{Handle: c.cfg.Name, Version: c.cfg.Version, Key: key, Variant: o.Variant}
}

// asksLocal reports whether a call looks into the local cache: strict engines
// and forced calls do not.
func (l *lookup) asksLocal() bool {
	e := l.c.e
	return e.cfg.Local != nil && !e.cfg.Strict && !l.o.Force && !e.off()
}

// local answers an item from the process's own cache if that can.
func (l *lookup) local(it *item) bool {
	v, ok := l.c.e.cfg.Local.Get(l.c.localKey(it.key, l.o))
	left := time.Until(v.Fresh)
	if !ok || left <= 0 || it.wrong != nil || !it.covered(v.Tokens) {
		return false
	}
	it.answer(v.Value, Status{State: Hit, StoredAt: v.StoredAt, TTL: left})
	l.c.count(countLocal, 1)
	l.c.count(countSaved, 1)
	return true
}

// covered reports whether a value was checked against every tag of this call;
// the other tokens are the same for all calls.
func (q *query) covered(tokens []string) bool {
	for _, t := range q.tokens[:q.own] {
		if t.ID[0] == 't' && !slices.Contains(tokens, t.Key) {
			return false
		}
	}
	return true
}

// keepLocal hands a value that was just found valid to the local cache.
func (l *lookup) keepLocal(it *item) {
	e, s := l.c.e, it.snap
	if e.cfg.Local == nil || e.cfg.Strict {
		return
	}
	v := LocalValue{Value: it.old, Tokens: appendKeys(nil, s.tokens), StoredAt: s.entry.Stored, Fresh: s.entry.Deadline(), Size: len(s.data)}
	e.cfg.Local.Put(l.c.localKey(it.key, l.o), v, s.stamp)
}
