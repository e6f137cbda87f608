package strategies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
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
	// Disabled turns the cache off: every call loads. RESTASH_DISABLE=1 in the
	// environment does the same.
	Disabled bool
}

// Store is one cache in Redis, shared by any number of [Cache] handles. It is
// safe for concurrent use. There should be one per process; [Store.Close] ends
// it.
type Store struct {
	c       *client.Client
	cfg     StoreConfig
	space   keyspace.Space
	breaker *breaker.Breaker
	exec    Executor
	log     *limitedLog
	flights *flight.Table
	pending pendingTokens
	learned *recentMap[[]string]
	failed  *recentMap[backoff]
	slots   chan struct{} // MaxLoads
	fleet   fleet

	counters counters
	loads    tracker

	mu       sync.Mutex
	handles  map[string]*handle
	lastCall time.Time
	closed   bool
}

// NewStore returns a Store on c. A nil c gives a Store that always loads. It
// touches no network, and fails if cfg is wrong, naming the field.
func NewStore(c *client.Client, cfg StoreConfig) (*Store, error) {
	if cfg.Namespace == "" {
		cfg.Namespace = defaultNamespace(os.Getenv)
	}
	space, err := keyspace.New(cfg.Namespace)
	if err != nil {
		return nil, fmt.Errorf("strategies: StoreConfig.Namespace: %w", err)
	}
	switch {
	case cfg.Budget < 0:
		return nil, errors.New("strategies: StoreConfig.Budget is negative")
	case cfg.SourceLag < 0:
		return nil, errors.New("strategies: StoreConfig.SourceLag is negative")
	case cfg.MaxLoads < 0:
		return nil, errors.New("strategies: StoreConfig.MaxLoads is negative")
	}
	if err := cfg.Compression.check(); err != nil {
		return nil, err
	}
	if cfg.Budget == 0 {
		cfg.Budget = DefaultBudget
	}
	if cfg.Executor == nil {
		cfg.Executor = defaultExecutor(os.Getenv)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Trace == nil {
		cfg.Trace = &Trace{}
	}
	if os.Getenv("RESTASH_DISABLE") == "1" {
		cfg.Disabled = true
	}
	s := &Store{
		c: c, cfg: cfg, space: space, exec: cfg.Executor,
		log:     newLimitedLog(cfg.Logger),
		learned: newRecentMap[[]string](4096),
		failed:  newRecentMap[backoff](4096),
		handles: map[string]*handle{},
	}
	s.flights = flight.NewTable(s.readEntry, s.spawn)
	if cfg.MaxLoads > 0 {
		s.slots = make(chan struct{}, cfg.MaxLoads)
	}
	policy := cfg.Breaker
	policy.OnChange = s.breakerChanged
	if s.breaker, err = breaker.New(policy); err != nil {
		return nil, fmt.Errorf("strategies: StoreConfig.Breaker: %w", err)
	}
	return s, nil
}

func (s *Store) breakerChanged(ch breaker.Change) {
	s.counters.breakerChanges.Add(1)
	args := []any{"from", ch.From.String(), "to", ch.To.String()}
	if ch.Cause != nil {
		args = append(args, "cause", ch.Cause)
	}
	s.log.warn("breaker "+ch.To.String(), "cache breaker changed", args...)
	if f := s.cfg.Breaker.OnChange; f != nil {
		f(ch)
	}
	if f := s.cfg.Trace.Breaker; f != nil {
		f(ch)
	}
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

// Client returns the client the Store was made with, nil if there was none.
func (s *Store) Client() *client.Client { return s.c }

// Namespace returns the namespace in use.
func (s *Store) Namespace() string { return s.cfg.Namespace }

// Enabled reports whether the Store caches at all: it has a client and is not
// switched off.
func (s *Store) Enabled() bool { return s.c != nil && !s.cfg.Disabled }

// spawn runs work that [Store.Close] waits for.
func (s *Store) spawn(work func()) {
	s.loads.run(work)
}

// Flush waits until the work left behind by answers is done and pending
// invalidations are confirmed, or ctx ends. Call it before an instance may
// freeze. It returns [ErrPending] if an invalidation is still unconfirmed.
func (s *Store) Flush(ctx context.Context) error {
	_ = s.flushPending(ctx) // it must not wait for slow loads
	return errors.Join(s.exec.Flush(ctx), s.flushPending(ctx))
}

// Close drains the Store: it waits for loads and background work, and sends
// what is pending, until ctx ends. Without a deadline it waits for loads as long
// as the longest Advanced.HardTimeout, and sends for 5 s. Calls after Close
// load without the cache.
func (s *Store) Close(ctx context.Context) error {
	unbounded := ctx
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.hardest())
		defer cancel()
	}
	err := s.Flush(ctx)
	if errors.Is(err, ErrPending) {
		err = s.lastTry(unbounded)
	}
	err = errors.Join(err, s.flushFleet(ctx))
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if idle := s.loads.idle(ctx); idle != nil {
		return errors.Join(err, fmt.Errorf("strategies: close: %w", idle))
	}
	return err
}

// hardest is how long a load of this Store may take.
func (s *Store) hardest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	longest := DefaultHardTimeout
	for _, h := range s.handles {
		longest = max(longest, h.hard)
	}
	return longest
}

func (s *Store) off() bool {
	if !s.Enabled() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// thaw notices that the process was frozen since its last call: what the
// breaker and the local cache knew is out of date.
func (s *Store) thaw() {
	now := time.Now()
	s.mu.Lock()
	before := s.lastCall
	s.lastCall = now
	s.mu.Unlock()
	if before.IsZero() || !client.Frozen(before, now) {
		return
	}
	s.breaker.Reset()
	if s.cfg.Local != nil {
		s.cfg.Local.Clear()
	}
}
