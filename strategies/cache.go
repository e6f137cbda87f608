package strategies

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// Loader loads one value. It runs detached from the caller's cancellation,
// with the hard timeout as its deadline, and may be shared by several callers.
type Loader[T any] = func(ctx context.Context, key string) (T, error)

// BatchLoader loads several values. A key that is not in the result does not
// exist. With an error the values that it still returned are used.
type BatchLoader[T any] = func(ctx context.Context, keys []string) (map[string]T, error)

// Cache is a typed handle for one class of values in a [Store]. It is safe for
// concurrent use and cheap to keep for ever. Callers that share a load share
// its value: treat what pointers, maps and slices in it point to as read-only.
type Cache[T any] struct {
	store *Store
	cfg   Config
	fp    string
	stats *handle
	// base are the tokens of every key: namespace, whole handle, tags.
	base []flight.Token
}

// New returns a handle on s. Handles of the same name share their entries if
// their types agree; then the Config should too. It panics if cfg is wrong, as
// http.ServeMux does, if T has a part that its codec cannot carry, such as a
// function, an interface or a struct without a visible field, or if the name is taken by another type with the same
// Version.
func New[T any](s *Store, cfg Config) *Cache[T] {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		panic(err.Error())
	}
	cfg.Tags = slices.Compact(slices.Sorted(slices.Values(cfg.Tags)))
	c := &Cache[T]{store: s, cfg: cfg, fp: cfg.Version}
	typ := reflect.TypeFor[T]()
	if c.fp == "" {
		c.fp = fingerprint(typ, cfg.Advanced.Codec)
	}
	var sh shape
	if _, isJSON := cfg.Advanced.Codec.(JSON); isJSON {
		sh = shapeOf(typ)
	}
	if err := sh.err(cfg.Name); err != nil {
		panic(err.Error())
	}
	if sh.plain {
		c.cfg.Advanced.Codec = plainJSON{}
	}
	h, err := s.handle(cfg.Name, c.fp, typ, cfg.Advanced.HardTimeout)
	if err != nil {
		panic(err.Error())
	}
	c.stats = h
	if len(sh.hidden) > 0 {
		c.say("hidden", "values from the cache lack fields that JSON leaves out", "fields", sh.warning())
	}
	c.base = c.baseTokens()
	return c
}

// Name returns the name of the class.
func (c *Cache[T]) Name() string { return c.cfg.Name }

// Store returns the Store that the handle belongs to.
func (c *Cache[T]) Store() *Store { return c.store }

// Stats returns the counters of this class in this process.
func (c *Cache[T]) Stats() HandleStats { return c.stats.snapshot() }

func (c *Cache[T]) baseTokens() []flight.Token {
	s := c.store.space
	tokens := []flight.Token{{ID: "g", Key: s.All(false)}, {ID: "p0", Key: s.Prefix(c.cfg.Name, "", false)}}
	if c.store.cfg.Soft {
		tokens = append(tokens, flight.Token{ID: "G", Key: s.All(true)}, flight.Token{ID: "P0", Key: s.Prefix(c.cfg.Name, "", true)})
	}
	for _, t := range c.cfg.Tags {
		tokens = c.store.appendTag(tokens, t)
	}
	return tokens
}

// appendTag adds the tokens of a tag unless they are there.
func (s *Store) appendTag(tokens []flight.Token, tag string) []flight.Token {
	id := tagID(tag)
	if slices.ContainsFunc(tokens, func(t flight.Token) bool { return t.ID == id }) {
		return tokens
	}
	tokens = append(tokens, flight.Token{ID: id, Key: s.space.Tag(tag, false)})
	if s.cfg.Soft {
		tokens = append(tokens, flight.Token{ID: "T" + id[1:], Key: s.space.Tag(tag, true)})
	}
	return tokens
}

// tagID is how an entry names a tag.
func tagID(tag string) string { return "t" + keyspace.Escape(tag) }

// query is one key as one call asks for it.
type query struct {
	key    string
	entry  string // Redis key of the entry
	token  string // Redis key of the key's own token
	tokens []flight.Token
	own    int // tokens before those of learned tags
}

func (c *Cache[T]) query(key string, o *options) (query, error) {
	s := c.store
	q := query{key: key, entry: s.space.Entry(c.cfg.Name, c.fp, key), token: s.space.Key(c.cfg.Name, key, false)}
	if o.variant != "" {
		q.entry = variantEntry(q.entry, o.variant)
	}
	levels := keyspace.Levels(key)
	q.tokens = make([]flight.Token, len(c.base), len(c.base)+2*(len(levels)+1)+2*len(o.tags)+2)
	copy(q.tokens, c.base)
	q.tokens = append(q.tokens, flight.Token{ID: "k", Key: q.token})
	for i, level := range levels {
		q.tokens = append(q.tokens, flight.Token{ID: prefixIDs[i+1], Key: s.space.Prefix(c.cfg.Name, level, false)})
	}
	if s.cfg.Soft {
		q.tokens = append(q.tokens, flight.Token{ID: "K", Key: s.space.Key(c.cfg.Name, key, true)})
		for i, level := range levels {
			q.tokens = append(q.tokens, flight.Token{ID: softPrefixIDs[i+1], Key: s.space.Prefix(c.cfg.Name, level, true)})
		}
	}
	return q, c.addTags(&q, o)
}

// addTags adds the tags of the call, and those that earlier answers for the
// same key were found to have.
func (c *Cache[T]) addTags(q *query, o *options) error {
	for _, t := range o.tags {
		q.tokens = c.store.appendTag(q.tokens, t)
	}
	if o.keyTags != nil {
		for _, t := range o.keyTags(q.key) {
			q.tokens = c.store.appendTag(q.tokens, t)
		}
	}
	if err := checkQueryTags(q.tokens); err != nil {
		c.say("tags", "value not cached: wrong tags", "error", err)
		return fmt.Errorf("%w: %s", ErrTags, err)
	}
	q.own = len(q.tokens)
	if learned, ok := c.store.learned.get(q.entry); ok {
		for _, t := range learned {
			q.tokens = c.store.appendTag(q.tokens, t)
		}
	}
	return nil
}

// say logs what is wrong with every value of the handle, once.
func (c *Cache[T]) say(what, msg string, args ...any) {
	if _, said := c.stats.said.LoadOrStore(what, true); !said {
		c.store.cfg.Logger.Warn(msg, append([]any{"handle", c.cfg.Name}, args...)...)
	}
}

func checkQueryTags(tokens []flight.Token) error {
	n := 0
	for _, t := range tokens {
		if t.ID[0] != 't' {
			continue
		}
		if n++; t.ID == tagID("") {
			return fmt.Errorf("an empty tag")
		}
	}
	if n > MaxTags {
		return fmt.Errorf("%d tags, want at most %d", n, MaxTags)
	}
	return nil
}

var (
	prefixIDs     = [...]string{"p0", "p1", "p2", "p3", "p4"}
	softPrefixIDs = [...]string{"P0", "P1", "P2", "P3", "P4"}
)

// variantEntry is where a variant of an entry lives. No key that Normalize
// lets through can be mistaken for it: it would have to hold the same hash.
func variantEntry(entry, variant string) string {
	return entry + "%;" + keyspace.Hash(variant)
}
