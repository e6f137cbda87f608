package strategies

import (
	"context"
	"errors"

	"github.com/cldcde/restash/strategies/internal/engine"
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
// loaded. n keys cost 2⌈n/500⌉ commands in as many round trips; without MSETEX
// n + ⌈n/500⌉ commands.
func (c *Cache[T]) Warm(ctx context.Context, keys []string, load BatchLoader[T], opts ...Option) (WarmReport, error) {
	if load == nil {
		return WarmReport{}, errNoLoader
	}
	var r WarmReport
	o := c.options(opts)
	o.Warm = true
	st, err := c.class.GetMany(ctx, distinct(keys), c.loadMany(load), &o.Options, func(res engine.Result) {
		err := warmed(res)
		r.add(res, err)
		if err != nil && !errors.Is(err, ErrNotFound) {
			r.fail(res.Key, err)
		}
	})
	o.report(st)
	r.Commands, r.Trips = st.Commands, st.Trips
	return r, err
}

func (r *WarmReport) add(res engine.Result, err error) {
	switch {
	case errors.Is(err, ErrNotFound):
		r.Absent++
	case err != nil:
		r.Failed++
	case res.Status.State == engine.Hit:
		r.Fresh++
	default:
		r.Warmed++
		r.Bytes += int64(res.Size)
	}
}

func (r *WarmReport) fail(key string, err error) {
	if r.Errors == nil {
		r.Errors = map[string]error{}
	}
	r.Errors[key] = err
}

// warmed is the outcome of one key of a warm-up.
func warmed(r engine.Result) error {
	st := &r.Status
	switch {
	case r.Err != nil:
		return r.Err
	case st.State == engine.Hit || st.Stored || st.Collapsed:
		return nil
	}
	return errors.Join(ErrNotStored, st.Err)
}
