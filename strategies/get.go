package strategies

import (
	"context"

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
	return c.get(ctx, key, o, func(ctx context.Context, _ *engine.Load) (T, error) { return load(ctx, key) })
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
	return c.get(ctx, key, o, func(ctx context.Context, l *engine.Load) (T, error) { return load(ctx, &Load[T]{l}) })
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

func (c *Cache[T]) get(ctx context.Context, key string, o *options, load func(context.Context, *engine.Load) (T, error)) (value T, err error) {
	if err := ctx.Err(); err != nil {
		return value, err
	}
	found, st, err := c.class.Get(ctx, key, func(ctx context.Context, loads []*engine.Load) {
		value, err := load(ctx, loads[0])
		loads[0].Value, loads[0].Err = &value, err
	}, &o.Options)
	o.report(st)
	if p, ok := found.(*T); ok && err == nil {
		value = *p
	}
	return value, err
}

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
	st, err := c.class.GetMany(ctx, distinct(keys), loadMany(load), &o.Options, func(r engine.Result) {
		if p, ok := r.Value.(*T); ok && r.Found {
			result[r.Key] = *p
		}
	})
	o.report(st)
	return result, err
}

// loadMany is a BatchLoader for the engine.
func loadMany[T any](load BatchLoader[T]) engine.Loader {
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
