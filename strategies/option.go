package strategies

import (
	"context"
	"slices"
	"time"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// Option varies a single call.
type Option interface{ set(o *options) }

type optionFunc func(o *options)

func (f optionFunc) set(o *options) { f(o) }

type options struct {
	engine.Options
	status *Status
}

// Tags adds tags to those of the Cache for this key. A read and the load it may
// lead to use the same ones, so give every call for a key the same tags.
func Tags(names ...string) Option {
	return optionFunc(func(o *options) { o.Tags = append(o.Tags, names...) })
}

// TTL replaces Config.TTL for a value that this call stores.
func TTL(d time.Duration) Option { return optionFunc(func(o *options) { o.TTL = d }) }

// StaleWhileRevalidate replaces Config.StaleWhileRevalidate for a value that
// this call stores.
func StaleWhileRevalidate(d time.Duration) Option {
	return optionFunc(func(o *options) { o.StaleWhileRevalidate = max(d, 0) })
}

// StaleIfError replaces Config.StaleIfError for a value that this call stores.
func StaleIfError(d time.Duration) Option {
	return optionFunc(func(o *options) { o.StaleIfError = max(d, 0) })
}

// Force loads and stores whatever the cache holds.
func Force() Option { return optionFunc(func(o *options) { o.Force = true }) }

// KeyTags adds tags that depend on the key, for calls with many keys.
func KeyTags(tags func(key string) []string) Option {
	return optionFunc(func(o *options) { o.KeyTags = tags })
}

// Variant reads and stores another form of the value under the same key, such
// as one language of a page. It depends on the same tokens as the key itself:
// invalidating the key hits all its variants. "" is the key's own entry.
func Variant(name string) Option { return optionFunc(func(o *options) { o.Variant = name }) }

// Uncounted keeps the call out of hits, misses and the hit rate: it is no
// reader's, but a warm-up's or a probe's. What it costs is counted.
func Uncounted() Option { return optionFunc(func(o *options) { o.Uncounted = true }) }

// Report fills s with how the call was answered.
func Report(s *Status) Option { return (*reportTo)(s) }

type reportTo Status // a pointer is an Option without an allocation

func (s *reportTo) set(o *options) { o.status = (*Status)(s) }

func (c *Cache[T]) options(opts []Option) *options {
	o := &options{Options: engine.Options{TTL: c.cfg.TTL, StaleWhileRevalidate: c.cfg.StaleWhileRevalidate, StaleIfError: c.cfg.StaleIfError}}
	for _, opt := range opts {
		opt.set(o)
	}
	if len(o.Tags) > 0 {
		slices.Sort(o.Tags)
		o.Tags = slices.Compact(o.Tags)
	}
	if o.status != nil {
		*o.status = Status{}
	}
	return o
}

// report fills the caller's Status.
func (o *options) report(st engine.Status) {
	if o.status != nil {
		*o.status = statusOf(st)
	}
}

// InPlace runs the load of this call, if it starts one, in the goroutine of its
// caller, which waits for the load's end whatever becomes of its context: an
// HTTP handler must not run on after its request. Other callers of the key wait
// for the load on their own contexts.
//
// A stale value comes back at once. Its refresh is not begun but left in later:
// the caller answers first and then calls [Refresh.Run] or [Refresh.Go].
func InPlace(later *Refresh) Option { return (*inPlace)(later) }

type inPlace Refresh

func (later *inPlace) set(o *options) { o.Later = &later.r }

// Refresh is the refresh of a stale value that a call with [InPlace] leaves to
// its caller. The zero value is none.
type Refresh struct{ r engine.Refresh }

// Due reports whether there is a refresh to be done, or an audit of a hit, see
// StoreConfig.Audit. There is no refresh while
// another caller's is under way, after one that failed lately, and where the
// last load took longer than an inline refresh may, up to the last quarter of
// the window.
func (r *Refresh) Due() bool { return r.r.Due() }

// Run does the refresh in the caller's goroutine. The load's context has no
// more than the inline budget of time: that of an Inline executor, else
// [DefaultInline]; in the last quarter of the window all that a load has.
func (r *Refresh) Run(ctx context.Context) { r.r.Run(ctx) }

// Go hands work, which is to do the refresh with [Refresh.Do], to the Store's
// executor. It reports whether that took it: an executor whose callers wait
// does not.
func (r *Refresh) Go(work func()) bool { return r.r.Go(work) }

// Do does the refresh in the caller's goroutine without a limit but the load's.
func (r *Refresh) Do(ctx context.Context) { r.r.Do(ctx) }
