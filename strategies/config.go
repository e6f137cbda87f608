package strategies

import (
	"fmt"
	"time"

	"github.com/cldcde/restash/internal/keyspace"
	"github.com/cldcde/restash/strategies/internal/engine"
)

// Limits of the format.
const (
	// MaxExpiry is the longest that an entry can live in Redis.
	MaxExpiry = engine.MaxExpiry
	// DefaultHardTimeout is the longest that a load may take.
	DefaultHardTimeout = engine.DefaultHardTimeout
	// MaxTags is how many tags one entry may have.
	MaxTags = keyspace.MaxTags
)

// Config describes one class of cached values. Name and TTL are required.
type Config struct {
	// Name of the class, part of every key: letters, digits and -._~ only.
	Name string
	// TTL is how long a value is fresh, at least a millisecond.
	TTL time.Duration
	// StaleWhileRevalidate is how long after that a value may be served while
	// it is refreshed. 0 means not at all.
	StaleWhileRevalidate time.Duration
	// StaleIfError is how long after TTL a value may be served when its load
	// fails. 0 means not at all.
	StaleIfError time.Duration
	// Negative is how long it is remembered that a value does not exist, see
	// [ErrNotFound]. 0 means not at all.
	Negative time.Duration
	// Tags of every value of this class, at most [MaxTags] with those that
	// single calls and loads add.
	Tags []string
	// Version, if set, takes the place of the fingerprint of the value's type
	// in the key. Change it when the meaning of values changes and their type
	// does not.
	Version string
	// Advanced holds what few need.
	Advanced Advanced
}

// Advanced settings of a [Config]. The zero value is the default.
type Advanced struct {
	// Codec turns values into bytes. nil means JSON.
	Codec Codec
	// CompressFrom is the size in bytes from which on a body is compressed, if
	// that makes it smaller. 0 means 4 KiB, negative never.
	CompressFrom int
	// Jitter shortens the TTL of each entry by a random part of up to this
	// fraction, 0 to 0.5, so that entries stored together do not expire
	// together. 0 means none.
	Jitter float64
	// SoftTimeout is how long a caller that has a stale value it may fall back
	// on waits for a load. 0 means that it waits for the load's end.
	SoftTimeout time.Duration
	// HardTimeout ends every load. 0 means 30 s.
	HardTimeout time.Duration
	// Lease, if set, lets only one instance at a time load an absent entry:
	// the others wait for it this long at most, then load too. It costs two
	// commands a miss and saves loads, never correctness. 0 means no lease.
	Lease time.Duration
	// TagsOf computes tags from the value, beside Tags: see [TagsOf]. The zero
	// value computes none.
	TagsOf ValueTags
	// Copy gives every caller a value of its own, decoded for it, where callers
	// would share one: those of the same load, and hits of the local cache. It
	// costs each of them a decoding. Without it what they share is read-only.
	Copy bool
	// Expendable marks a class that matters least: where StoreConfig.Quota would
	// not last otherwise, its reads go to their loaders.
	Expendable bool
}

const defaultCompressFrom = 4 << 10

func (c Config) withDefaults() Config {
	a := &c.Advanced
	if a.Codec == nil {
		a.Codec = JSON{}
	}
	if a.CompressFrom == 0 {
		a.CompressFrom = defaultCompressFrom
	}
	if a.HardTimeout == 0 {
		a.HardTimeout = DefaultHardTimeout
	}
	return c
}

// wrong names the field that is.
func wrong(field, format string, args ...any) error {
	return fmt.Errorf("strategies: Config.%s %s", field, fmt.Sprintf(format, args...))
}

func (c Config) check() error {
	switch {
	case c.Name == "":
		return wrong("Name", "is empty")
	case keyspace.Escape(c.Name) != c.Name || len(c.Name) > 128:
		return wrong("Name", "is %q, want at most 128 letters, digits and -._~", c.Name)
	case keyspace.Escape(c.Version) != c.Version && c.Version != "":
		return wrong("Version", "is %q, want letters, digits and -._~", c.Version)
	case c.TTL < time.Millisecond:
		return wrong("TTL", "is %s, want at least 1ms", c.TTL)
	case c.StaleWhileRevalidate < 0:
		return wrong("StaleWhileRevalidate", "is negative")
	case c.StaleIfError < 0:
		return wrong("StaleIfError", "is negative")
	case c.Negative < 0:
		return wrong("Negative", "is negative")
	case c.TTL+max(c.StaleWhileRevalidate, c.StaleIfError) > MaxExpiry:
		return wrong("TTL", "and the longer stale window are %s, want at most %s",
			c.TTL+max(c.StaleWhileRevalidate, c.StaleIfError), MaxExpiry)
	case c.Negative > MaxExpiry:
		return wrong("Negative", "is %s, want at most %s", c.Negative, MaxExpiry)
	}
	if err := checkTags(c.Tags); err != nil {
		return wrong("Tags", "%v", err)
	}
	return c.Advanced.check()
}

func (a Advanced) check() error {
	switch {
	case a.Jitter < 0 || a.Jitter > 0.5:
		return wrong("Advanced.Jitter", "is %g, want 0 to 0.5", a.Jitter)
	case a.SoftTimeout < 0:
		return wrong("Advanced.SoftTimeout", "is negative")
	case a.HardTimeout < 0 || a.HardTimeout > 15*time.Minute:
		return wrong("Advanced.HardTimeout", "is %s, want at most 15m", a.HardTimeout)
	case a.Lease < 0:
		return wrong("Advanced.Lease", "is negative")
	case a.Lease > a.HardTimeout/2 && a.HardTimeout > 0:
		return wrong("Advanced.Lease", "is %s, want at most half of HardTimeout", a.Lease)
	}
	return nil
}

func checkTags(tags []string) error {
	if len(tags) > MaxTags {
		return fmt.Errorf("has %d tags, want at most %d", len(tags), MaxTags)
	}
	for _, t := range tags {
		if t == "" {
			return fmt.Errorf("has an empty tag")
		}
	}
	return nil
}
