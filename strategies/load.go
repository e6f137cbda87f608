package strategies

import (
	"errors"
	"time"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// Load is one run of a loader given to [Cache.Fetch]. It is not safe for
// concurrent use and ends with the loader.
type Load[T any] struct{ l *engine.Load }

// Key returns the key that is loaded.
func (l *Load[T]) Key() string { return l.l.Key }

// Old returns the value that the cache still has for the key and that no
// invalidation has hit, however old it is.
func (l *Load[T]) Old() (T, bool) {
	if old, has := l.l.Old.(*T); has {
		return *old, true
	}
	var zero T
	return zero, false
}

// StoredAt is when the old value was stored, by the clock of the instance that
// did; zero if there is none.
func (l *Load[T]) StoredAt() time.Time { return l.l.StoredAt }

// Refresh reports whether the load renews a stale value that its caller may be
// served in the meantime.
func (l *Load[T]) Refresh() bool { return l.l.Refresh }

// SetTTL replaces the TTL of this value. 0 or less does not store it. What
// exceeds [MaxExpiry] is cut.
func (l *Load[T]) SetTTL(d time.Duration) { l.l.TTL = d }

// SetStaleWhileRevalidate replaces the value's window for being served while
// it is refreshed.
func (l *Load[T]) SetStaleWhileRevalidate(d time.Duration) { l.l.StaleWhileRevalidate = max(d, 0) }

// SetStaleIfError replaces the value's window for being served on errors.
func (l *Load[T]) SetStaleIfError(d time.Duration) { l.l.StaleIfError = max(d, 0) }

// AddTags adds tags that only the load has found out. Unless the process has
// seen them with this key before, that costs one more command, and the value is
// stored only if none of them was invalidated since the load began.
func (l *Load[T]) AddTags(names ...string) { l.l.Tags = append(l.l.Tags, names...) }

// NotModified says that the old value still holds: it is stored again with a
// new TTL. Its results are meant to be returned; without an old value they are
// an error.
func (l *Load[T]) NotModified() (T, error) {
	old, has := l.Old()
	if !has {
		return old, errors.New("strategies: NotModified without an old value")
	}
	return old, nil
}

// NotFound says that the value does not exist. Its results are meant to be
// returned.
func (l *Load[T]) NotFound() (T, error) {
	var zero T
	return zero, ErrNotFound
}

// DoNotStore keeps the value out of the cache. Callers that wait for the load
// still get it.
func (l *Load[T]) DoNotStore() { l.l.NoStore = true }

// DoNotShare keeps the value for the caller that started this load: it is not
// stored, and callers that wait for it load for themselves, at once. The load
// is from now on bound by that caller's context, not by the hard timeout.
func (l *Load[T]) DoNotShare() {
	l.l.NoStore = true
	l.l.Unshare()
}

// LetGo lets callers that wait for this load load for themselves, at once: its
// value may take long. It is stored all the same.
func (l *Load[T]) LetGo() { l.l.Unshare() }

// StoreVariant stores the value as a [Variant] of the key, and base, which says
// how to find variants, as the key's own entry, in the same round trip.
func (l *Load[T]) StoreVariant(name string, base T) {
	l.l.Variant = &engine.Variant{Name: name, Base: &base}
}
