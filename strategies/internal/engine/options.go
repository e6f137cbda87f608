package engine

import (
	"context"
	"time"
)

// Options vary one call.
type Options struct {
	Tags    []string
	KeyTags func(key string) []string
	// TTL and the windows of what the call stores, unless its load changes them.
	TTL, StaleWhileRevalidate, StaleIfError time.Duration
	Variant                                 string
	// Force loads whatever there is, Warm also what is stale: then nobody waits,
	// so nothing is served and requests may take long.
	Force, Warm bool
	// Uncounted keeps the call out of hits and misses.
	Uncounted bool
	// Complete says that the loader knows what exists: what another caller's
	// load did not find is loaded anew.
	Complete bool
	// Later, if set, runs loads in their caller's goroutine and takes the
	// refresh of what is stale.
	Later *Refresh
}

// Loader loads several keys at once. It sets Value or Err of each.
type Loader func(ctx context.Context, loads []*Load)

// Load is a loader's run for one key: what it is told, and what it answers. It
// belongs to the loader until that returns.
type Load struct {
	Key string
	// Old is what the cache still has and no invalidation has hit, nil for
	// nothing; StoredAt is when it was stored.
	Old      any
	StoredAt time.Time
	// Refresh says that a stale value was there.
	Refresh bool

	// TTL and windows of the value; a TTL under a millisecond does not store it.
	TTL, StaleWhileRevalidate, StaleIfError time.Duration
	// Tags that only the load has found out.
	Tags    []string
	NoStore bool
	// Variant, if set, makes the value a variant and Base the key's own entry.
	Variant *Variant
	// Unshare makes the value its starter's alone.
	Unshare func()

	Value any
	Err   error
}

// Variant names the form of a value, and what the key's own entry says.
type Variant struct {
	Name string
	Base any
}

// Refresh is the refresh of stale values that a lookup with Options.Later leaves
// to its caller. The zero value is none.
type Refresh struct {
	run  func(ctx context.Context)
	exec Executor
	most time.Duration // what it may take; 0 for as long as a load
}

// Due reports whether there is a refresh to be done.
func (r *Refresh) Due() bool { return r.run != nil }

// Run does it in the caller's goroutine, within the inline budget unless the
// window ends soon.
func (r *Refresh) Run(ctx context.Context) {
	if r.run == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if r.most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.most)
		defer cancel()
	}
	r.run(ctx)
}

// Go hands work, which is to call Do, to the executor, unless its callers wait.
func (r *Refresh) Go(work func()) bool {
	return r.run != nil && r.exec.Wait() == 0 && r.exec.Submit(work)
}

// Do does it in the caller's goroutine without a limit but the load's.
func (r *Refresh) Do(ctx context.Context) {
	if r.run != nil {
		r.run(ctx)
	}
}
