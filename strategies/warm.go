package strategies

import (
	"context"
	"errors"
)

// WarmReport is what [Cache.Warm] did.
type WarmReport struct {
	// Warmed values were loaded and stored, Fresh ones were there already,
	// Absent ones do not exist, Failed ones are in Errors.
	Warmed, Fresh, Absent, Failed int
	// Commands and Trips are billed commands and HTTP round trips.
	Commands, Trips int
	// Bytes stored, headers included.
	Bytes int64
	// Errors by key; nil if none failed.
	Errors map[string]error
}

// ErrNotStored is the error of a key in a [WarmReport] whose value was loaded
// and could not be stored.
var ErrNotStored = errors.New("strategies: loaded and not stored")

// Warm loads and stores what keys lack or have only as stale, up to 500 at a
// time. A key that fails stops nothing else. The error is ctx's if it ended
// first, [ErrTags], or why the cache could not be reached: then nothing more is
// loaded. n keys cost n + ⌈n/500⌉ commands in 2⌈n/500⌉ round trips.
func (c *Cache[T]) Warm(ctx context.Context, keys []string, load BatchLoader[T], opts ...Option) (WarmReport, error) {
	if load == nil {
		return WarmReport{}, errNoLoader
	}
	var r WarmReport
	b := newBatch(c, load, opts)
	b.warm = true
	err := b.each(ctx, distinct(keys), warmKeys, func(items []*item[T]) {
		for _, it := range items {
			r.add(it.status, it.outcome(), it.size)
			if err := it.outcome(); err != nil && !errors.Is(err, ErrNotFound) {
				r.fail(it.q.key, err)
			}
		}
	})
	r.Commands, r.Trips = b.status.Commands, b.status.Trips
	return r, err
}

func (r *WarmReport) add(st Status, err error, size int) {
	switch {
	case errors.Is(err, ErrNotFound):
		r.Absent++
	case err != nil:
		r.Failed++
	case st.State == Hit:
		r.Fresh++
	default:
		r.Warmed++
		r.Bytes += int64(size)
	}
}

func (r *WarmReport) fail(key string, err error) {
	if r.Errors == nil {
		r.Errors = map[string]error{}
	}
	r.Errors[key] = err
}

// outcome of one key of a warm-up.
func (it *item[T]) outcome() error {
	switch {
	case it.err != nil:
		return it.err
	case it.status.Reason == ReasonNegative, !it.has:
		return ErrNotFound
	case it.status.State == Hit || it.status.Stored || it.status.Collapsed:
		return nil
	}
	return errors.Join(ErrNotStored, it.status.Err)
}
