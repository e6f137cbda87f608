package invalidate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

func TestPatternLeavesHashedKeys(t *testing.T) {
	srv := upstashtest.Run(t)
	long := "a:" + strings.Repeat("x", 600)
	store, cache := users(t, srv, srv.Token, "a:1", long)
	r, err := store.Invalidate(t.Context(), invalidate.Pattern(cache, invalidate.Any))
	require.NoError(t, err)
	assert.Equal(t, 1, r.Keys)
	assert.False(t, cached(t, cache, "a:1"))
	assert.True(t, cached(t, cache, long), "of a long key only a hash is left, which no pattern means")
}

func TestPatternRemovesVariants(t *testing.T) {
	srv := upstashtest.Run(t)
	store, cache := users(t, srv, srv.Token)
	get := func() (st strategies.Status) {
		_, err := cache.Get(t.Context(), "a:1", func(context.Context, string) (string, error) { return "v", nil },
			strategies.Variant("en"), strategies.Report(&st))
		require.NoError(t, err)
		return st
	}
	get()
	require.NoError(t, store.Flush(t.Context()))
	require.Equal(t, strategies.Hit, get().State)
	r, err := store.Invalidate(t.Context(), invalidate.Pattern(cache, "a", "1"))
	require.NoError(t, err)
	assert.Equal(t, 1, r.Keys)
	assert.NotEqual(t, strategies.Hit, get().State)
}

// thousands caches more keys than one step of SCAN returns.
func thousands(t *testing.T) (*strategies.Store, *strategies.Cache[string], []string) {
	var keys []string
	for i := range 2500 {
		keys = append(keys, fmt.Sprint("k:", i))
	}
	srv := upstashtest.Run(t)
	store, cache := users(t, srv, srv.Token, keys...)
	return store, cache, keys
}

func TestPatternBudget(t *testing.T) {
	store, cache, _ := thousands(t)
	_, err := store.Invalidate(t.Context(), invalidate.Budget(invalidate.Pattern(cache, invalidate.Any), 2))
	require.ErrorIs(t, err, invalidate.ErrBudget)
	r, err := store.Invalidate(t.Context(), invalidate.Pattern(cache, invalidate.Any))
	require.NoError(t, err)
	assert.NotZero(t, r.Keys)
	assert.False(t, cached(t, cache, "k:7"))
}

func TestPatternBudgetWhatWasFoundIsRemoved(t *testing.T) {
	store, cache, keys := thousands(t)
	// One SCAN finds a few of these, too few to be removed before the budget ends.
	few := invalidate.Pattern(cache, "k", invalidate.Glob("?"))
	r, err := store.Invalidate(t.Context(), invalidate.Budget(few, 3))
	require.ErrorIs(t, err, invalidate.ErrBudget)
	assert.Positive(t, r.Keys)
	assert.Equal(t, r.Keys, missing(t, cache, keys[:10]), "the report names what is gone")
}

func TestPatternBudgetDryRunRemovesNothing(t *testing.T) {
	store, cache, keys := thousands(t)
	_, err := store.Invalidate(t.Context(), invalidate.Budget(invalidate.DryRun(invalidate.Pattern(cache, invalidate.Any)), 2))
	require.ErrorIs(t, err, invalidate.ErrBudget)
	assert.Zero(t, missing(t, cache, keys))
}

// missing counts the keys that are no longer cached.
func missing(t *testing.T, cache *strategies.Cache[string], keys []string) (n int) {
	for _, k := range keys {
		if !cached(t, cache, k) {
			n++
		}
	}
	return n
}
