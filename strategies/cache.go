package strategies

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// Loader loads one value. It runs detached from the caller's cancellation,
// with the hard timeout as its deadline, and may be shared by several callers.
type Loader[T any] = func(ctx context.Context, key string) (T, error)

// BatchLoader loads several values. A key that is not in the result does not
// exist. With an error the values that it still returned are used.
type BatchLoader[T any] = func(ctx context.Context, keys []string) (map[string]T, error)

// Cache is a typed handle for one class of values in a [Store]. It is safe for
// concurrent use and cheap to keep for ever. Callers that share a load share
// its value: treat what pointers, maps and slices in it point to as read-only, or
// set Advanced.Copy.
type Cache[T any] struct {
	store *Store
	cfg   Config
	class *engine.Class
}

// New returns a handle on s. Handles of the same name share their entries if
// their types agree; then the Config should too. It panics if cfg is wrong, as
// http.ServeMux does, if T has a part that its codec cannot carry, such as a
// function, an interface or a struct without a visible field, or if the name is
// taken by another type with the same Version.
func New[T any](s *Store, cfg Config) *Cache[T] {
	cfg = cfg.withDefaults()
	if err := errors.Join(cfg.check(), cfg.Advanced.TagsOf.check(reflect.TypeFor[T]())); err != nil {
		panic(err.Error())
	}
	cfg.Tags = slices.Compact(slices.Sorted(slices.Values(cfg.Tags)))
	version := cfg.Version
	if version == "" {
		version = fingerprint(reflect.TypeFor[T](), cfg.Advanced.Codec)
	}
	var sh shape
	if _, isJSON := cfg.Advanced.Codec.(JSON); isJSON {
		sh = shapeOf(reflect.TypeFor[T]())
	}
	if err := sh.err(cfg.Name); err != nil {
		panic(err.Error())
	}
	if sh.plain {
		cfg.Advanced.Codec = plainJSON{}
	}
	class, err := s.engine.Class(engine.ClassConfig{
		Name: cfg.Name, Version: version, Type: reflect.TypeFor[T](), Tags: cfg.Tags, Codec: codecOf[T]{cfg.Advanced.Codec}, Equal: equalOf[T](),
		Expiry: cfg.TTL + max(cfg.StaleWhileRevalidate, cfg.StaleIfError), Negative: cfg.Negative, CompressFrom: cfg.Advanced.CompressFrom, Jitter: cfg.Advanced.Jitter,
		Copy: cfg.Advanced.Copy, SoftTimeout: cfg.Advanced.SoftTimeout, HardTimeout: cfg.Advanced.HardTimeout, Lease: cfg.Advanced.Lease, Expendable: cfg.Advanced.Expendable,
	})
	if err != nil {
		panic(err.Error())
	}
	if len(sh.hidden) > 0 {
		class.Say("hidden", "values from the cache lack fields that JSON leaves out", "fields", sh.warning())
	}
	return &Cache[T]{store: s, cfg: cfg, class: class}
}

// Name returns the name of the class.
func (c *Cache[T]) Name() string { return c.cfg.Name }

// Store returns the Store that the handle belongs to.
func (c *Cache[T]) Store() *Store { return c.store }

// Stats returns the counters of this class in this process.
func (c *Cache[T]) Stats() HandleStats { return statsOf(c.class.Stats()) }
