package strategies

import (
	"time"

	"github.com/cldcde/restash/strategies/internal/engine"
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

// localOf is a Local in the engine's words.
type localOf struct{ Local }

func (l localOf) Get(key engine.LocalKey) (engine.LocalValue, bool) {
	v, ok := l.Local.Get(LocalKey(key))
	return engine.LocalValue(v), ok
}

func (l localOf) Put(key engine.LocalKey, v engine.LocalValue, stamp uint64) {
	l.Local.Put(LocalKey(key), LocalValue(v), stamp)
}
