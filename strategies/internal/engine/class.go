package engine

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// Codec turns the opaque values of a class into bytes and back. It may panic.
type Codec interface {
	Encode(value any) ([]byte, error)
	Decode(body []byte) (value any, err error)
}

// ClassConfig describes a class of values, with all defaults filled in.
type ClassConfig struct {
	Name string
	// Version is the part of an entry's key that stands for the values' form,
	// Type what no other class of that name and version may have.
	Version string
	Type    reflect.Type
	Tags    []string
	Codec   Codec
	// Equal, if set, says what an audit takes for the same value.
	Equal func(a, b any) bool

	// Expiry is how long its entries live, unless a call or load says otherwise.
	Expiry       time.Duration
	Negative     time.Duration
	CompressFrom int
	Jitter       float64
	SoftTimeout  time.Duration
	HardTimeout  time.Duration
	Lease        time.Duration
	// Copy gives callers that share a load values of their own.
	Copy bool
	// Expendable classes are not read where the quota would not last.
	Expendable bool
}

// Class is one class of values in an [Engine]. It is safe for concurrent use.
type Class struct {
	e     *Engine
	cfg   ClassConfig
	stats *classStats
	// base are the tokens of every key: namespace, whole class, tags.
	base []flight.Token
}

// Class returns a class. It fails if its name and version are another type's.
func (e *Engine) Class(cfg ClassConfig) (*Class, error) {
	stats, err := e.register(&cfg)
	if err != nil {
		return nil, err
	}
	c := &Class{e: e, cfg: cfg, stats: stats}
	c.base = []flight.Token{{ID: "g", Key: e.space.All(false)}, {ID: "p0", Key: e.space.Prefix(cfg.Name, "", false)}}
	if e.cfg.Soft {
		c.base = append(c.base, flight.Token{ID: "G", Key: e.space.All(true)}, flight.Token{ID: "P0", Key: e.space.Prefix(cfg.Name, "", true)})
	}
	for _, t := range cfg.Tags {
		c.base = e.appendTag(c.base, t)
	}
	return c, nil
}

// appendTag adds the tokens of a tag unless they are there.
func (e *Engine) appendTag(tokens []flight.Token, tag string) []flight.Token {
	id := tagID(tag)
	if hasToken(tokens, id) {
		return tokens
	}
	tokens = append(tokens, flight.Token{ID: id, Key: e.space.Tag(tag, false)})
	if e.cfg.Soft {
		tokens = append(tokens, flight.Token{ID: "T" + id[1:], Key: e.space.Tag(tag, true)})
	}
	return tokens
}

// query is one key as one call asks for it.
type query struct {
	key    string
	entry  string // Redis key of the entry
	token  string // Redis key of the key's own token
	tokens []flight.Token
	own    int   // tokens before those of learned tags
	wrong  error // its tags: the value is loaded and not stored
}

// query fails, and is complete all the same, if its tags are wrong.
func (c *Class) query(key string, o *Options) query {
	space := c.e.space
	q := query{key: key, entry: space.Entry(c.cfg.Name, c.cfg.Version, key), token: space.Key(c.cfg.Name, key, false)}
	if o.Variant != "" {
		q.entry = variantEntry(q.entry, o.Variant)
	}
	levels := keyspace.Levels(key)
	q.tokens = make([]flight.Token, len(c.base), len(c.base)+2*(len(levels)+1)+2*len(o.Tags)+2)
	copy(q.tokens, c.base)
	q.tokens = append(q.tokens, flight.Token{ID: "k", Key: q.token})
	for i, level := range levels {
		q.tokens = append(q.tokens, flight.Token{ID: prefixIDs[i+1], Key: space.Prefix(c.cfg.Name, level, false)})
	}
	if c.e.cfg.Soft {
		q.tokens = append(q.tokens, flight.Token{ID: "K", Key: space.Key(c.cfg.Name, key, true)})
		for i, level := range levels {
			q.tokens = append(q.tokens, flight.Token{ID: softPrefixIDs[i+1], Key: space.Prefix(c.cfg.Name, level, true)})
		}
	}
	c.addTags(&q, o)
	return q
}

// addTags adds the tags of the call, and those that earlier answers for the
// same key were found to have.
func (c *Class) addTags(q *query, o *Options) {
	for _, t := range o.Tags {
		q.tokens = c.e.appendTag(q.tokens, t)
	}
	if o.KeyTags != nil {
		for _, t := range o.KeyTags(q.key) {
			q.tokens = c.e.appendTag(q.tokens, t)
		}
	}
	q.own = len(q.tokens)
	if q.wrong = checkTags(q.tokens); q.wrong != nil {
		c.say("tags", "value not cached: wrong tags", q.wrong)
		return
	}
	if learned, ok := c.e.learned.get(q.entry); ok {
		for _, t := range learned {
			q.tokens = c.e.appendTag(q.tokens, t)
		}
	}
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

// learn remembers tags of an entry that its callers do not name.
func (e *Engine) learn(entry string, tags []string) {
	known, _ := e.learned.get(entry)
	merged := append([]string(nil), known...)
	for _, t := range tags {
		if !slices.Contains(merged, t) {
			merged = append(merged, t)
		}
	}
	if len(merged) > keyspace.MaxTags {
		merged = tags
	}
	e.learned.set(entry, merged)
}

func (e *Engine) register(cfg *ClassConfig) (*classStats, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.classes[cfg.Name]
	if c == nil {
		c = &classStats{types: map[string]reflect.Type{}}
		e.classes[cfg.Name] = c
	}
	if have, ok := c.types[cfg.Version]; ok && have != cfg.Type {
		return nil, fmt.Errorf("strategies: Config.Name %q is used for %s and for %s", cfg.Name, have, cfg.Type)
	}
	c.types[cfg.Version] = cfg.Type
	c.hard = max(c.hard, cfg.HardTimeout)
	return c, nil
}

// longestLoad is how long a load of this engine may take.
func (e *Engine) longestLoad() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	longest := DefaultHardTimeout
	for _, c := range e.classes {
		longest = max(longest, c.hard)
	}
	return longest
}

// Say logs what is wrong with every value of the class, once for each what.
func (c *Class) Say(what, msg string, args ...any) {
	if _, said := c.stats.said.LoadOrStore(what, true); !said {
		c.e.cfg.Logger.Warn(msg, append([]any{"handle", c.cfg.Name, "type", c.cfg.Type.String()}, args...)...)
	}
}

func (c *Class) say(what, msg string, err error) { c.Say(what, msg, "error", err) }

// count adds to a counter of the class and of the engine.
func (c *Class) count(what Counter, n int64) {
	c.stats.add(what, n)
	c.e.counters.add(what, n)
}

// answered counts one answer.
func (c *Class) answered(state State, negative bool) {
	c.stats.answered(state, negative)
	c.e.counters.answered(state, negative)
}

func (c *Class) oversized(err error) {
	c.count(CountOversized, 1)
	c.e.log.warn("oversized:"+c.cfg.Name, "value too big for the cache", "handle", c.cfg.Name, "error", err)
}
