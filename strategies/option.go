package strategies

import (
	"slices"
	"time"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// Option varies a single call.
type Option func(*options)

type options struct {
	engine.Options
	status *Status
}

// Tags adds tags to those of the Cache for this key. A read and the load it may
// lead to use the same ones, so give every call for a key the same tags.
func Tags(names ...string) Option {
	return func(o *options) { o.Tags = append(o.Tags, names...) }
}

// TTL replaces Config.TTL for a value that this call stores.
func TTL(d time.Duration) Option { return func(o *options) { o.TTL = d } }

// StaleWhileRevalidate replaces Config.StaleWhileRevalidate for a value that
// this call stores.
func StaleWhileRevalidate(d time.Duration) Option {
	return func(o *options) { o.StaleWhileRevalidate = max(d, 0) }
}

// StaleIfError replaces Config.StaleIfError for a value that this call stores.
func StaleIfError(d time.Duration) Option { return func(o *options) { o.StaleIfError = max(d, 0) } }

// Force loads and stores whatever the cache holds.
func Force() Option { return func(o *options) { o.Force = true } }

// KeyTags adds tags that depend on the key, for calls with many keys.
func KeyTags(tags func(key string) []string) Option { return func(o *options) { o.KeyTags = tags } }

// Variant reads and stores another form of the value under the same key, such
// as one language of a page. It depends on the same tokens as the key itself:
// invalidating the key hits all its variants. "" is the key's own entry.
func Variant(name string) Option { return func(o *options) { o.Variant = name } }

// Uncounted keeps the call out of hits, misses and the hit rate: it is no
// reader's, but a warm-up's or a probe's. What it costs is counted.
func Uncounted() Option { return func(o *options) { o.Uncounted = true } }

// Report fills s with how the call was answered.
func Report(s *Status) Option { return func(o *options) { o.status = s } }

func (c *Cache[T]) options(opts []Option) *options {
	o := &options{Options: engine.Options{TTL: c.cfg.TTL, StaleWhileRevalidate: c.cfg.StaleWhileRevalidate, StaleIfError: c.cfg.StaleIfError}}
	for _, set := range opts {
		set(o)
	}
	if len(o.Tags) > 0 {
		o.Tags = slices.Compact(slices.Sorted(slices.Values(o.Tags)))
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
