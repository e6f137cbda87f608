package local

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/cldcde/restash/strategies"
)

// Defaults of [Config].
const (
	DefaultEntries   = 1000
	DefaultMaxAge    = time.Second
	DefaultValueSize = 64 << 10
)

// Config sets up a [Cache]. The zero value is the default.
type Config struct {
	// Entries that are kept at most, the least recently used leaving first.
	// 0 means 1,000.
	Entries int
	// MaxAge is how long a value is served after it was read from Redis, and so
	// how long an invalidation by another process may go unnoticed. 0 means 1 s.
	MaxAge time.Duration
	// WhileDown is how long after MaxAge a value may still be served, as stale, while
	// Redis does not answer (the breaker is open): the database then loads what
	// the process has not seen, not everything. For as long an invalidation by
	// another process may go unnoticed. A value ends with its TTL, or with its
	// StaleIfError if that is longer. 0 means not at all.
	WhileDown time.Duration
	// ValueSize is the size in bytes, as stored in Redis, from which on a value
	// is not kept. 0 means 64 KiB.
	ValueSize int
}

// Cache is a strategies.Local: give it to StoreConfig.Local of one Store. It is
// safe for concurrent use.
type Cache struct {
	cfg  Config
	born time.Time

	mu    sync.Mutex
	seq   uint64
	lru   *simplelru.LRU[strategies.LocalKey, *kept]
	void  map[string]uint64 // when a token was last voided
	floor uint64            // what void has forgotten counts as voided then
}

var _ strategies.Local = (*Cache)(nil)

type kept struct {
	strategies.LocalValue
	until time.Duration // since the cache was born
	stamp uint64        // nothing had voided it then
}

// maxVoid bounds the memory of voided tokens.
const maxVoid = 8192

// New returns an empty cache. It fails if a number in cfg is negative, naming
// the field.
func New(cfg Config) (*Cache, error) {
	switch {
	case cfg.Entries < 0:
		return nil, fmt.Errorf("local: Config.Entries is %d, want 0 or more", cfg.Entries)
	case cfg.MaxAge < 0:
		return nil, fmt.Errorf("local: Config.MaxAge is %s, want 0 or more", cfg.MaxAge)
	case cfg.WhileDown < 0:
		return nil, fmt.Errorf("local: Config.WhileDown is %s, want 0 or more", cfg.WhileDown)
	case cfg.ValueSize < 0:
		return nil, fmt.Errorf("local: Config.ValueSize is %d, want 0 or more", cfg.ValueSize)
	}
	if cfg.Entries == 0 {
		cfg.Entries = DefaultEntries
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = DefaultMaxAge
	}
	if cfg.ValueSize == 0 {
		cfg.ValueSize = DefaultValueSize
	}
	entries, err := simplelru.NewLRU[strategies.LocalKey, *kept](cfg.Entries, nil)
	if err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	return &Cache{cfg: cfg, born: time.Now(), lru: entries, void: map[string]uint64{}}, nil
}

// Get returns a value that is not too old and that nothing has voided; one that
// is older than Config.MaxAge, by Config.WhileDown at most, is Unchecked.
func (c *Cache) Get(key strategies.LocalKey) (strategies.LocalValue, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.lru.Get(key)
	if !ok {
		return strategies.LocalValue{}, false
	}
	over := time.Since(c.born) - k.until
	if over > c.cfg.WhileDown || k.stamp != c.seq && c.voidedSince(k.stamp, k.Tokens) {
		c.lru.Remove(key)
		return strategies.LocalValue{}, false
	}
	k.stamp = c.seq // so that the tokens are looked up once
	v := k.LocalValue
	v.Unchecked = over > 0
	return v, true
}

func (c *Cache) voidedSince(stamp uint64, tokens []string) bool {
	if c.floor > stamp {
		return true
	}
	for _, t := range tokens {
		if c.void[t] > stamp {
			return true
		}
	}
	return false
}

// Stamp marks the present moment among the calls of Void.
func (c *Cache) Stamp() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// Put keeps a value unless it is too big or was voided since the stamp.
func (c *Cache) Put(key strategies.LocalKey, v strategies.LocalValue, stamp uint64) {
	if v.Size > c.cfg.ValueSize {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.voidedSince(stamp, v.Tokens) {
		c.lru.Add(key, &kept{LocalValue: v, until: time.Since(c.born) + c.cfg.MaxAge, stamp: stamp})
	}
}

// Void makes values that depend on one of the tokens unusable.
func (c *Cache) Void(tokens []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	if len(c.void)+len(tokens) > maxVoid {
		clear(c.void)
		c.floor = c.seq
	}
	for _, t := range tokens {
		c.void[t] = c.seq
	}
}

// Clear forgets everything, also what is being read at the moment.
func (c *Cache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	c.floor = c.seq
	clear(c.void)
	c.lru.Purge()
}
