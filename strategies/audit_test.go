package strategies_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

func audited(n int, exec strategies.Executor) func(*strategies.StoreConfig) {
	return func(c *strategies.StoreConfig) { c.Audit, c.Executor = n, exec }
}

// auditBubble runs f with a store that audits every hit, and an entry of key k.
func auditBubble(t *testing.T, exec strategies.Executor, f func(t *testing.T, store *strategies.Store, c *strategies.Cache[item], src *source)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, audited(1, exec))
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"all"}})
		src := &source{}
		get(t, c, "k", src)
		require.NoError(t, store.Flush(t.Context()))
		f(t, store, c, src)
	})
}

func TestAuditAHitThatIsUpToDateCostsALoadAndNothingElse(t *testing.T) {
	auditBubble(t, strategies.Pool(4), func(t *testing.T, store *strategies.Store, c *strategies.Cache[item], src *source) {
		before := store.Stats()
		_, st := get(t, c, "k", src)
		require.NoError(t, store.Flush(t.Context()))
		after := store.Stats()
		assert.Equal(t, strategies.Hit, st.State)
		assert.EqualValues(t, 1, after.Audited)
		assert.EqualValues(t, 0, after.Outdated)
		assert.EqualValues(t, 1, after.Consistency())
		assert.EqualValues(t, 1, after.Commands-before.Commands, "the hit's own")
		assert.EqualValues(t, 2, src.reads.Load(), "the miss and the audit")
	})
}

func TestAuditAChangeThatWasNotInvalidatedIsFoundWithItsAge(t *testing.T) {
	auditBubble(t, strategies.Pool(4), func(t *testing.T, store *strategies.Store, c *strategies.Cache[item], src *source) {
		src.value.Store(2)
		time.Sleep(10 * time.Minute)
		before := store.Stats().Commands
		got, _ := get(t, c, "k", src)
		assert.Equal(t, 0, got.N, "the hit is what it was")
		require.NoError(t, store.Flush(t.Context()))
		st := c.Stats()
		assert.EqualValues(t, 1, st.Audited)
		assert.EqualValues(t, 1, st.Outdated)
		assert.Equal(t, 10*time.Minute, st.OutdatedAge)
		assert.Zero(t, st.Consistency())
		assert.EqualValues(t, 1, store.Stats().Outdated, "of the whole Store too")
		assert.EqualValues(t, 2, store.Stats().Commands-before, "the hit, and the tokens again")
	})
}

// The database has changed, and the invalidation follows half a second later.
func TestAuditAnInvalidationUnderWayIsNoFinding(t *testing.T) {
	auditBubble(t, strategies.Pool(4), func(t *testing.T, store *strategies.Store, c *strategies.Cache[item], src *source) {
		src.value.Store(2)
		get(t, c, "k", src)
		time.Sleep(500 * time.Millisecond)
		_, err := store.Invalidate(t.Context(), invalidate.Tags("all"))
		require.NoError(t, err)
		require.NoError(t, store.Flush(t.Context()))
		assert.EqualValues(t, 1, c.Stats().Audited)
		assert.Zero(t, c.Stats().Outdated)
	})
}

func TestAuditIsNotOnTheCallersTimeWhereWorkGoesOnBehindTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		exec strategies.Executor
		wait time.Duration
	}{
		"pool":             {strategies.Pool(4), 0},
		"inline":           {strategies.Inline(strategies.DefaultInline), 100 * time.Millisecond},
		"one that is full": {failing{func() bool { return false }}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			auditBubble(t, tt.exec, func(t *testing.T, _ *strategies.Store, c *strategies.Cache[item], src *source) {
				src.delay.Store(int64(100 * time.Millisecond))
				began := time.Now()
				get(t, c, "k", src)
				assert.Equal(t, tt.wait, time.Since(began))
			})
		})
	}
}

func TestAuditCallersThatWaitDoNotWaitForSlowLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, audited(1, strategies.Inline(strategies.DefaultInline)))
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		src := &source{}
		src.delay.Store(int64(time.Second))
		get(t, c, "k", src)
		began := time.Now()
		get(t, c, "k", src)
		assert.Zero(t, time.Since(began))
		assert.EqualValues(t, 1, src.reads.Load(), "its last load took longer than callers may wait")
	})
}

// What says nothing about the entry is not counted, and ends nothing.
func TestAuditLoadersThatFailAreNoFinding(t *testing.T) {
	for name, load := range map[string]strategies.Loader[item]{
		"error": loadNothing,
		"panic": func(context.Context, string) (item, error) { panic("sick") },
		"exit":  func(context.Context, string) (item, error) { runtime.Goexit(); return item{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			auditBubble(t, strategies.Pool(1), func(t *testing.T, store *strategies.Store, c *strategies.Cache[item], src *source) {
				for range 3 { // the pool's only place is given back
					_, err := c.Get(t.Context(), "k", load)
					require.NoError(t, err)
					require.NoError(t, store.Flush(t.Context()))
				}
				assert.Zero(t, c.Stats().Audited)
				get(t, c, "k", src)
				require.NoError(t, store.Flush(t.Context()))
				assert.EqualValues(t, 1, c.Stats().Audited)
			})
		})
	}
}

// stamped says when it was read; only its number is compared.
type stamped struct {
	N  int
	At time.Time
}

func (s stamped) Equal(o stamped) bool { return s.N == o.N }

func TestAuditComparesByTheValuesOwnEqual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t), audited(1, strategies.Pool(4)))
		c := strategies.New[stamped](store, strategies.Config{Name: "stamped", TTL: time.Hour})
		n := 1
		var mu sync.Mutex
		read := func() {
			_, err := c.Get(t.Context(), "k", func(context.Context, string) (stamped, error) {
				mu.Lock()
				defer mu.Unlock()
				return stamped{n, time.Now()}, nil
			})
			require.NoError(t, err)
			require.NoError(t, store.Flush(t.Context()))
			time.Sleep(time.Second)
		}
		read()
		read()
		assert.EqualValues(t, 1, c.Stats().Audited)
		assert.Zero(t, c.Stats().Outdated)
		n = 2
		read()
		assert.EqualValues(t, 1, c.Stats().Outdated)
	})
}

func TestAuditOneHitInSoMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t), audited(10, strategies.Pool(4)))
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		src := &source{}
		for range 2001 {
			get(t, c, "k", src)
			require.NoError(t, store.Flush(t.Context()))
		}
		assert.InDelta(t, 200, c.Stats().Audited, 90) // 6.7 standard deviations
		assert.Equal(t, c.Stats().Audited, src.reads.Load()-1)
	})
}

func TestAuditOfABatch(t *testing.T) {
	auditBubble(t, strategies.Pool(4), func(t *testing.T, store *strategies.Store, c *strategies.Cache[item], src *source) {
		src.value.Store(2)
		_, err := c.GetMany(t.Context(), []string{"k", "absent"}, src.loadMany)
		require.NoError(t, err)
		require.NoError(t, store.Flush(t.Context()))
		assert.EqualValues(t, 1, c.Stats().Audited, "a miss is not audited")
		assert.EqualValues(t, 1, c.Stats().Outdated)
	})
}

// An audit takes a place among MaxLoads if one is free, and gives it back.
func TestAuditWaitsForNoPlaceAmongLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t), audited(1, strategies.Pool(4)), func(c *strategies.StoreConfig) { c.MaxLoads = 1 })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		src := &source{}
		for range 4 {
			get(t, c, "k", src)
			require.NoError(t, store.Flush(t.Context()))
		}
		assert.EqualValues(t, 3, c.Stats().Audited)
		slow := &source{}
		slow.delay.Store(int64(time.Minute / 4))
		go func() { _, _ = c.Get(t.Context(), "other", slow.load) }()
		synctest.Wait()
		get(t, c, "k", src)
		require.NoError(t, store.Flush(t.Context()))
		assert.EqualValues(t, 3, c.Stats().Audited, "the only place is taken")
		time.Sleep(time.Minute)
	})
}

func TestAuditNegativeIsRefused(t *testing.T) {
	_, err := strategies.NewStore(nil, strategies.StoreConfig{Audit: -1})
	assert.ErrorContains(t, err, "StoreConfig.Audit")
}
