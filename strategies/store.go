package strategies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/keyspace"
	"github.com/cldcde/restash/strategies/internal/engine"
)

// DefaultBudget is how much of a request a Store spends on the cache before it
// goes to the loader.
const DefaultBudget = time.Second

// StoreConfig sets up a [Store]. The zero value is the default.
type StoreConfig struct {
	// Namespace begins every key: letters, digits and -._~ only. Empty means
	// "restash", on Vercel "restash-production", "restash-preview-<branch>" or
	// "restash-development", so that previews never read or invalidate what
	// production stored.
	Namespace string
	// Budget is how long one call may spend on the cache; when it is used up
	// the loader answers. 0 means 1 s.
	Budget time.Duration
	// Breaker is the circuit breaker's policy, on by default; see [breaker.Off].
	// Its OnChange is called after the Store's own.
	Breaker breaker.Config
	// Executor runs what is left to do after the answer. nil means
	// Inline(300 ms) where instances freeze (VERCEL, AWS_LAMBDA_FUNCTION_NAME or
	// K_SERVICE is set) and Pool(16) elsewhere.
	Executor Executor
	// Soft makes the Store read the tokens of soft invalidations too. It must
	// be the same in all processes that share a namespace.
	Soft bool
	// Strict treats a token that is absent as invalid, and creates the tokens
	// of an entry before its load. It keeps the promise when the database
	// evicts keys, and where tags guard permissions.
	Strict bool
	// SourceLag is by how much the database that loaders read may lag behind
	// the one that is written. Nothing is stored that may have been loaded
	// from before an invalidation. 0 means that it does not lag.
	SourceLag time.Duration
	// MaxLoads bounds how many loads run at once; more wait. A load within a
	// load, which is one whose loader passed its context on, runs in its
	// parent's place. 0 means no bound.
	MaxLoads int
	// Local is a cache in this process, asked before Redis; nil means none.
	// Package strategies/local has one and says what it costs the promise.
	Local Local
	// FleetMetrics lets this instance add its counters to a hash in Redis, at
	// most once a minute with a request that is sent anyway, and [Store.Fleet]
	// read their sum.
	FleetMetrics bool
	// Audit checks one hit in so many, drawn at random, against its loader,
	// behind the answer: how consistent is the cache in production? What differs,
	// and differs still when its tokens are read again a second later, is counted
	// as outdated: a change that was not invalidated. Values are compared by their
	// method Equal if they have one, else as they are stored. It costs a load, and
	// one command where it differs. Hits of Local are not audited, nor values whose
	// load takes longer than callers may wait, where they wait. 0 means no audit.
	Audit int
	// Quota is what the database's plan allows; the zero value is any number.
	Quota Quota
	// Compression packs large bodies, see [Advanced.CompressFrom]. The zero
	// value is gzip; package contrib/zstd has a faster one.
	Compression Compression
	// Logger hears warnings, at most one of a kind in ten seconds: requests that
	// Redis did not answer, changes of the breaker with their cause, pending
	// invalidations, failed refreshes, oversized values.
	// nil means slog.Default.
	Logger *slog.Logger
	// Trace hears of single events.
	Trace *Trace
	// Disabled turns the cache off: every call loads. RESTASH_DISABLE=1, or true,
	// yes or on, in the environment does the same.
	Disabled bool
}

// Quota is how many commands a plan allows in a day and in a month, by UTC; 0
// for any number. The Store spreads them over the period: a twentieth is there at
// once, the rest comes in evenly. What is ahead of that is saved, optional work
// first: audits, warm-ups (they fail with [ErrQuotaNear]), refreshes of expendable
// classes before the last quarter of their window; fleet counters come after ten
// commands. Then reads of classes with Advanced.Expendable go to their loaders, and
// when the last hundredth is left all reads do: that is for invalidations, which always leave.
//
// Only commands of this Store are counted, since its start, or with
// StoreConfig.FleetMetrics those of all instances, as of the last minute. Leave
// room for others.
type Quota struct{ Daily, Monthly int64 }

// Redis is what a [Store] asks of its database: to send commands as one request
// and return a reply to each, an error of Redis among them as a reply of
// command.KindError. An error means that the request as a whole failed. One of
// package client says itself whether that was an outage (client.Unavailable),
// client.ErrTooLarge makes batches smaller, any other counts for the breaker.
//
// *client.Client is one. Wrap it to see or change what a Store sends, or
// implement it over another connection. The commands are GET's kin alone: MGET,
// SET with PX, NX and IFEQ, MSETEX or plain SETs where that is unknown, UNLINK,
// DELEX for leases, BITFIELD for fleet metrics and SCAN for patterns.
type Redis interface {
	Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error)
}

// Store is one cache in Redis, shared by any number of [Cache] handles. It is
// safe for concurrent use. There should be one per process; [Store.Close] ends
// it.
type Store struct {
	redis  Redis
	cfg    StoreConfig
	engine *engine.Engine
}

// NewStore returns a Store on r, which is a *client.Client as a rule. nil gives
// a Store that always loads. It touches no network, and fails if cfg is wrong,
// naming the field.
func NewStore(r Redis, cfg StoreConfig) (*Store, error) {
	if c, ok := r.(*client.Client); ok && c == nil {
		r = nil
	}
	if cfg.Namespace == "" {
		cfg.Namespace = defaultNamespace(os.Getenv)
	}
	space, err := keyspace.New(cfg.Namespace)
	if err != nil {
		return nil, fmt.Errorf("strategies: StoreConfig.Namespace: %w", err)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults(os.Getenv)
	s := &Store{redis: r, cfg: cfg}
	if s.engine, err = engine.New(s.engineConfig(space)); err != nil {
		return nil, fmt.Errorf("strategies: StoreConfig.Breaker: %w", err)
	}
	return s, nil
}

func (c StoreConfig) check() error {
	switch {
	case c.Budget < 0:
		return errors.New("strategies: StoreConfig.Budget is negative")
	case c.SourceLag < 0:
		return errors.New("strategies: StoreConfig.SourceLag is negative")
	case c.Quota.Daily < 0 || c.Quota.Monthly < 0:
		return errors.New("strategies: StoreConfig.Quota is negative")
	case c.Audit < 0:
		return errors.New("strategies: StoreConfig.Audit is negative")
	case c.MaxLoads < 0:
		return errors.New("strategies: StoreConfig.MaxLoads is negative")
	}
	return c.Compression.check()
}

func (c StoreConfig) withDefaults(env func(string) string) StoreConfig {
	if c.Budget == 0 {
		c.Budget = DefaultBudget
	}
	if c.Executor == nil {
		c.Executor = defaultExecutor(env)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Trace == nil {
		c.Trace = &Trace{}
	}
	c.Disabled = c.Disabled || switchedOff(env("RESTASH_DISABLE"))
	return c
}

// switchedOff reads RESTASH_DISABLE as people write it. Somebody sets it in an
// emergency: what is no clear "no" is taken for a "yes".
func switchedOff(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "0", "f", "false", "n", "no", "off":
		return false
	}
	return true
}

func (s *Store) engineConfig(space keyspace.Space) engine.Config {
	cfg := engine.Config{
		Redis: s.redis, Space: space, Budget: s.cfg.Budget, Breaker: s.cfg.Breaker, Executor: s.cfg.Executor,
		Soft: s.cfg.Soft, Strict: s.cfg.Strict, SourceLag: s.cfg.SourceLag, MaxLoads: s.cfg.MaxLoads,
		InlineBudget: DefaultInline, FleetMetrics: s.cfg.FleetMetrics, Audit: s.cfg.Audit, Quota: engine.Quota(s.cfg.Quota), Compression: s.cfg.Compression.entry(),
		Logger: s.cfg.Logger, Disabled: s.cfg.Disabled, Panicked: panicked,
		Trace: engine.Trace{Load: s.cfg.Trace.Load, Breaker: s.cfg.Trace.Breaker, Outdated: s.cfg.Trace.Outdated},
	}
	if s.cfg.Local != nil {
		cfg.Local = localOf{s.cfg.Local}
	}
	if l, ok := s.redis.(interface{ Limits() client.Limits }); ok && l.Limits().Value != client.NoLimit {
		cfg.ValueLimit = l.Limits().Value
	}
	if answer := s.cfg.Trace.Answer; answer != nil {
		cfg.Trace.Answer = func(class, key string, st engine.Status, took time.Duration) {
			answer(class, key, statusOf(st), took)
		}
	}
	return cfg
}

// defaultNamespace keeps Vercel's environments apart.
func defaultNamespace(env func(string) string) string {
	switch where := env("VERCEL_ENV"); where {
	case "":
		return "restash"
	case "preview":
		branch := env("VERCEL_GIT_COMMIT_REF")
		if branch == "" {
			return "restash-preview"
		}
		return "restash-preview-" + slug(branch)
	default:
		return "restash-" + slug(where)
	}
}

// slug makes a branch's name fit for a namespace. Names that had to be changed
// or cut end in a hash of the whole, so that no two share a namespace.
func slug(name string) string {
	clean := strings.Map(func(r rune) rune {
		if s := string(r); keyspace.Escape(s) == s {
			return r
		}
		return '-'
	}, name)
	if clean == name && len(clean) <= 40 {
		return clean
	}
	return clean[:min(len(clean), 31)] + "-" + shortHash(name)
}

// Client returns the client the Store was made with, nil if there was none or
// it was another [Redis].
func (s *Store) Client() *client.Client {
	c, _ := s.redis.(*client.Client)
	return c
}

// Logger returns the logger that hears the Store's warnings, for what is built on it.
func (s *Store) Logger() *slog.Logger { return s.cfg.Logger }

// Namespace returns the namespace in use.
func (s *Store) Namespace() string { return s.cfg.Namespace }

// Enabled reports whether the Store caches at all: it has a client and is not
// switched off.
func (s *Store) Enabled() bool { return s.engine.Enabled() }

// Flush waits until the work that answers have left behind so far is done and
// pending invalidations are confirmed, or ctx ends. Call it before an instance may
// freeze. It returns [ErrPending] if an invalidation is still unconfirmed.
func (s *Store) Flush(ctx context.Context) error { return s.engine.Flush(ctx) }

// Close drains the Store: it waits for loads and background work, and sends
// what is pending, until ctx ends. Without a deadline it waits for loads as long
// as the longest Advanced.HardTimeout, and sends for 5 s. Calls after Close
// load without the cache.
func (s *Store) Close(ctx context.Context) error { return s.engine.Close(ctx) }

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// Local is a cache in the process, in front of Redis, for values that were
// found valid there. It must be safe for concurrent use. Package
// strategies/local has one.
type Local interface {
	// Get returns what was put under key and is still good. What is too old to be
	// served without a look at Redis it may return as Unchecked.
	Get(key LocalKey) (LocalValue, bool)
	// Stamp is taken before a read whose result may be Put.
	Stamp() uint64
	// Put remembers a value, unless one of its tokens was voided since the
	// stamp; the implementation decides for how long.
	Put(key LocalKey, v LocalValue, stamp uint64)
	// Void forgets what depends on one of the tokens.
	Void(tokens []string)
	// Clear forgets everything.
	Clear()
}

// LocalKey names a value of a process.
type LocalKey struct{ Handle, Version, Key, Variant string }

// LocalValue is a value of the Store's, decoded unless its handle has
// Advanced.Copy. Callers share it: nobody changes it.
type LocalValue struct {
	Value any
	// Tokens are the Redis keys of the tokens it was checked against.
	Tokens []string
	// StoredAt is when it was stored in Redis, Fresh when its TTL ends.
	StoredAt, Fresh time.Time
	// Size of the entry in Redis, in bytes.
	Size int
	// Unchecked is set by Get on a value that may be served only while Redis does
	// not answer (the breaker is open). It is reported as [Stale].
	Unchecked bool
}

// localOf is a Local in the engine's words.
type localOf struct{ Local }

func (l localOf) Get(key engine.LocalKey) (engine.LocalValue, bool) {
	v, ok := l.Local.Get(LocalKey(key))
	return engine.LocalValue(v), ok
}

func (l localOf) Put(key engine.LocalKey, v engine.LocalValue, stamp uint64) {
	l.Local.Put(LocalKey(key), LocalValue(v), stamp)
}

// Stats returns the counters of this process.
func (s *Store) Stats() Stats {
	e := s.engine.Stats()
	st := Stats{
		HandleStats: statsOf(e.All), Pending: e.Pending, Invalidations: e.All.Count(engine.CountInvalidations), Quota: QuotaStats(e.Quota),
		Breaker: e.Breaker, BreakerCause: e.BreakerCause, Disabled: !s.Enabled(),
		Handles: map[string]HandleStats{},
	}
	for name, c := range e.Classes {
		st.Handles[name] = statsOf(c)
	}
	return st
}

// KeyMisses is a key and how often it was a miss in this process.
type KeyMisses struct {
	Name, Key string
	Misses    int64
}

// TopMisses are the keys that missed most often in this process, most often
// first, at most n. Some dozens are counted for each class of values; a count
// includes those of a key that had to make room, so it is never too low.
func (s *Store) TopMisses(n int) []KeyMisses {
	var top []KeyMisses
	for _, k := range s.engine.TopMisses(n) {
		top = append(top, KeyMisses(k))
	}
	return top
}

// Fleet returns the counters of all instances, and of this one what it has not
// added yet. It costs one command.
func (s *Store) Fleet(ctx context.Context) (FleetStats, error) {
	st, err := s.engine.Fleet(ctx)
	return FleetStats(st), err
}
