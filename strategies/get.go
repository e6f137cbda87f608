package strategies

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// Get returns the value of key, from the cache or from load, whose value it
// stores. Callers of one key share reads and loads. It fails only with what
// load returned, [ErrNotFound] if that is remembered, ctx's error if ctx ends
// first, a [PanicError], [ErrLoadTimeout] or [ErrCircle]; never because of the
// cache. With wrong tags the value is loaded and not stored, see [ErrTags].
//
// A hit costs one billed command and one round trip, a miss two.
func (c *Cache[T]) Get(ctx context.Context, key string, load Loader[T], opts ...Option) (T, error) {
	if load == nil {
		var zero T
		return zero, errNoLoader
	}
	o := c.options(opts)
	if value, ok := c.local(ctx, key, o); ok {
		return value, nil
	}
	return c.get(ctx, key, o, func(ctx context.Context, loads []*engine.Load) {
		loads[0].Value, loads[0].Err = loaded(load(ctx, key))
		c.tag(loads)
	})
}

// Fetch is [Cache.Get] with a loader that can look at the old value and decide
// how its result is stored.
func (c *Cache[T]) Fetch(ctx context.Context, key string, load func(ctx context.Context, l *Load[T]) (T, error), opts ...Option) (T, error) {
	if load == nil {
		var zero T
		return zero, errNoLoader
	}
	o := c.options(opts)
	if value, ok := c.local(ctx, key, o); ok {
		return value, nil
	}
	return c.get(ctx, key, o, func(ctx context.Context, loads []*engine.Load) {
		loads[0].Value, loads[0].Err = loaded(load(ctx, &Load[T]{loads[0]}))
		c.tag(loads)
	})
}

// Peek returns what the cache holds for key, fresh or stale, and loads and
// refreshes nothing. ok is false where a [Cache.Get] would load. Unlike Get it
// tells what kept it from asking: the error is the cache's, [ErrTags], ctx's, or
// [ErrNotFound] where that is remembered. It costs one command and is in no hit
// rate.
func (c *Cache[T]) Peek(ctx context.Context, key string, opts ...Option) (value T, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return value, false, err
	}
	o := c.options(append(slices.Clip(opts), Uncounted()))
	if value, ok := c.local(ctx, key, o); ok {
		return value, true, nil
	}
	found, ok, st, err := c.class.Peek(ctx, key, &o.Options)
	o.report(st)
	p, typed := found.(*T)
	if !ok || !typed || err != nil {
		return value, false, err
	}
	return *p, true, nil
}

// local answers from the process's own cache.
func (c *Cache[T]) local(ctx context.Context, key string, o *options) (value T, ok bool) {
	if ctx.Err() != nil {
		return value, false
	}
	found, st, ok := c.class.Local(key, &o.Options)
	p, typed := found.(*T)
	if !ok || !typed {
		return value, false
	}
	o.report(st)
	return *p, true
}

func (c *Cache[T]) get(ctx context.Context, key string, o *options, load engine.Loader) (value T, err error) {
	if err := ctx.Err(); err != nil {
		return value, err
	}
	found, st, err := c.class.Get(ctx, key, load, &o.Options)
	o.report(st)
	if p, ok := found.(*T); ok && err == nil {
		value = *p
	}
	return value, err
}

// loaded is what a loader returned, in the engine's words.
func loaded[T any](value T, err error) (any, error) { return &value, err }

// GetMany returns the values of keys, those that the cache lacks from one run
// of load, which it stores. A key that load does not return does not exist and
// is not in the result. With an error of load the result holds what there is,
// and what came is stored. Keys that are being loaded elsewhere in the process
// are waited for.
//
// A batch of n keys of which m are missing costs two billed commands in two
// round trips, per 1,000 keys or 4 MiB; without MSETEX 1 + m commands.
func (c *Cache[T]) GetMany(ctx context.Context, keys []string, load BatchLoader[T], opts ...Option) (map[string]T, error) {
	if load == nil {
		return nil, errNoLoader
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := c.options(opts)
	o.Complete = true
	result := make(map[string]T, len(keys))
	st, err := c.class.GetMany(ctx, distinct(keys), c.loadMany(load), &o.Options, func(r engine.Result) {
		if p, ok := r.Value.(*T); ok && r.Found {
			result[r.Key] = *p
		}
	})
	o.report(st)
	return result, err
}

// loadMany is a BatchLoader for the engine.
func (c *Cache[T]) loadMany(load BatchLoader[T]) engine.Loader {
	return func(ctx context.Context, loads []*engine.Load) {
		keys := make([]string, len(loads))
		for i, l := range loads {
			keys[i] = l.Key
		}
		values, err := load(ctx, keys)
		for _, l := range loads {
			value, found := values[l.Key]
			switch {
			case found:
				l.Value, l.Err = &value, nil
			case err != nil:
				l.Err = err
			default:
				l.Err = ErrNotFound
			}
		}
		c.tag(loads)
	}
}

func distinct(keys []string) []string {
	seen := make(map[string]bool, len(keys))
	list := make([]string, 0, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			list = append(list, k)
		}
	}
	return list
}

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
// served in the meantime, or audits a hit.
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

// Memoize returns fn with its results cached in c under [Key] of its argument;
// where A is an interface, the type that it holds is part of the key. An
// argument that Key panics on panics here too.
func Memoize[A, T any](c *Cache[T], fn func(ctx context.Context, arg A) (T, error), opts ...Option) func(ctx context.Context, arg A) (T, error) {
	return func(ctx context.Context, arg A) (T, error) {
		return c.Get(ctx, argKey(arg), func(ctx context.Context, _ string) (T, error) { return fn(ctx, arg) }, opts...)
	}
}

// argKey is the key of one argument. Unlike the parts of [Key], 1 and "1" are
// two arguments.
func argKey[A any](arg A) string {
	v := reflect.ValueOf(&arg).Elem()
	if v.Kind() != reflect.Interface || v.IsNil() {
		return Key(arg)
	}
	w := keyWriter{b: new(strings.Builder)}
	w.typed(v.Elem())
	return w.b.String()
}
