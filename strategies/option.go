package strategies

import (
	"slices"
	"time"
)

// Option varies a single call.
type Option func(*options)

type options struct {
	tags    []string
	ttl     time.Duration
	swr     time.Duration
	sie     time.Duration
	force   bool
	status  *Status
	variant string
	keyTags func(key string) []string
	later   *Refresh // the load runs in place
	// uncounted: nobody reads, so it is neither a hit nor a miss
	uncounted bool
}

// Tags adds tags to those of the Cache for this key. A read and the load it may
// lead to use the same ones, so give every call for a key the same tags.
func Tags(names ...string) Option {
	return func(o *options) { o.tags = append(o.tags, names...) }
}

// TTL replaces Config.TTL for a value that this call stores.
func TTL(d time.Duration) Option { return func(o *options) { o.ttl = d } }

// StaleWhileRevalidate replaces Config.StaleWhileRevalidate for a value that
// this call stores.
func StaleWhileRevalidate(d time.Duration) Option { return func(o *options) { o.swr = max(d, 0) } }

// StaleIfError replaces Config.StaleIfError for a value that this call stores.
func StaleIfError(d time.Duration) Option { return func(o *options) { o.sie = max(d, 0) } }

// Force loads and stores whatever the cache holds.
func Force() Option { return func(o *options) { o.force = true } }

// KeyTags adds tags that depend on the key, for calls with many keys.
func KeyTags(tags func(key string) []string) Option { return func(o *options) { o.keyTags = tags } }

// Variant reads and stores another form of the value under the same key, such
// as one language of a page. It depends on the same tokens as the key itself:
// invalidating the key hits all its variants. "" is the key's own entry.
func Variant(name string) Option { return func(o *options) { o.variant = name } }

// Uncounted keeps the call out of hits, misses and the hit rate: it is no
// reader's, but a warm-up's or a probe's. What it costs is counted.
func Uncounted() Option { return func(o *options) { o.uncounted = true } }

// Report fills s with how the call was answered.
func Report(s *Status) Option { return func(o *options) { o.status = s } }

func (c *Cache[T]) options(opts []Option) options {
	o := options{ttl: c.cfg.TTL, swr: c.cfg.StaleWhileRevalidate, sie: c.cfg.StaleIfError}
	for _, set := range opts {
		set(&o)
	}
	if len(o.tags) > 0 {
		o.tags = slices.Compact(slices.Sorted(slices.Values(o.tags)))
	}
	if o.status != nil {
		*o.status = Status{}
	}
	return o
}
