package strategies_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

func noSave(_ context.Context, it item) (item, error) { return it, nil }

func TestWriteThroughStoresUnderItsTags(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"all"}})
	var src source
	get(t, c, "k", &src, strategies.Tags("mine"))
	require.NoError(t, c.WriteThrough(t.Context(), "k", item{N: 7}, noSave, strategies.Tags("mine")))
	v, st := get(t, c, "k", &src, strategies.Tags("mine"))
	assert.Equal(t, []any{7, strategies.Hit}, []any{v.N, st.State})
	_, err := store.Invalidate(t.Context(), invalidate.Tags("mine"))
	require.NoError(t, err)
	_, st = get(t, c, "k", &src, strategies.Tags("mine"))
	assert.Equal(t, strategies.Miss, st.State)
}

func TestFailedSaveStoresNothingAndInvalidates(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	err := c.WriteThrough(t.Context(), "k", item{N: 7}, func(_ context.Context, v item) (item, error) { return v, errSource })
	assert.Equal(t, errSource, err)
	_, st := get(t, c, "k", &src)
	assert.Equal(t, strategies.ReasonInvalidated, st.Reason, "it may have been committed")
}

// conflict lets other write in the middle of a write-through: the token that
// the first one saw is not there any more.
func TestSecondWriterMakesTheFirstsEntryDeadOnArrival(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	other := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	src.value.Store(2)
	check := srv.ExpectBill(t, 3+3+1, 2+2+1)
	err := c.WriteThrough(t.Context(), "k", item{N: 1}, func(ctx context.Context, v item) (item, error) {
		return v, other.WriteThrough(ctx, "k", item{N: 2}, noSave)
	})
	require.NoError(t, err)
	check()
	v, st := get(t, c, "k", &src)
	assert.Equal(t, []any{2, strategies.Miss}, []any{v.N, st.State}, "neither writer's entry is certain to be the last")
}

func TestInvalidationThatFailsIsPendingAndSentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		get(t, c, "k", &src)
		down := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
		saved := false
		err := c.WriteThrough(t.Context(), "k", item{N: 1}, func(_ context.Context, v item) (item, error) { saved = true; return v, nil })
		require.ErrorIs(t, err, strategies.ErrPending)
		require.ErrorIs(t, err, client.ErrTransport, "with its cause")
		assert.True(t, saved)
		r, err := store.Invalidate(t.Context(), invalidate.Tags("a"))
		require.ErrorIs(t, err, strategies.ErrPending)
		assert.Equal(t, 2, r.Pending)
		assert.EqualValues(t, 2, store.Stats().Pending)
		down()

		time.Sleep(61 * time.Second) // the breaker has opened
		var first string
		defer srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if first == "" {
				first = peek(r)
			}
			next.ServeHTTP(w, r)
		})()
		src.value.Store(1)
		v, st := get(t, c, "k", &src)
		assert.Equal(t, []any{1, strategies.Miss, strategies.ReasonInvalidated}, []any{v.N, st.State, st.Reason})
		assert.Less(t, strings.Index(first, "restash:k:item:k"), strings.Index(first, "MGET"), "tokens go first: %s", first)
		assert.Contains(t, first, "restash:t:a")
		assert.Zero(t, store.Stats().Pending)
		assert.Equal(t, 2, st.Commands)
		assert.NoError(t, store.Flush(t.Context()))
	})
}

func TestFlushSendsWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		down := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
		_, err := store.Invalidate(t.Context(), invalidate.Tags("a"))
		require.ErrorIs(t, err, strategies.ErrPending)
		require.ErrorIs(t, store.Flush(t.Context()), strategies.ErrPending)
		down()
		time.Sleep(61 * time.Second)
		check := srv.ExpectBill(t, 1, 1)
		require.NoError(t, store.Flush(t.Context()))
		check()
	})
}

// However many tokens there are, exactly they are replaced, in as many requests
// as that takes, and unrelated entries stay.
func TestManyTokensTakeMoreRequestsNeverAWiderTarget(t *testing.T) {
	const many = 2500
	keys := make([]string, many)
	tags := make([]string, many)
	for i := range keys {
		keys[i], tags[i] = fmt.Sprint("k", i), fmt.Sprint("t", i)
	}
	tests := map[string]func(ctx context.Context, store *strategies.Store, c *strategies.Cache[item]) error{
		"DeleteMany": func(ctx context.Context, _ *strategies.Store, c *strategies.Cache[item]) error {
			return c.DeleteMany(ctx, keys, nil)
		},
		"Invalidate tags": func(ctx context.Context, store *strategies.Store, _ *strategies.Cache[item]) error {
			_, err := store.Invalidate(ctx, invalidate.Tags(tags...))
			return err
		},
		"Invalidate keys": func(ctx context.Context, store *strategies.Store, c *strategies.Cache[item]) error {
			_, err := store.Invalidate(ctx, invalidate.Key(c, keys...))
			return err
		},
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			store := newStore(t, srv)
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
			other := strategies.New[item](store, strategies.Config{Name: "other", TTL: time.Hour, Tags: []string{"kept"}})
			var src source
			get(t, c, "k1", &src, strategies.Tags("t1"))
			get(t, other, "k1", &src)
			require.NoError(t, do(t.Context(), store, c))
			_, st := get(t, c, "k1", &src, strategies.Tags("t1"))
			assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
			_, st = get(t, other, "k1", &src)
			assert.Equal(t, strategies.Hit, st.State, "an unrelated class keeps its entries")
			g, err := srv.Do("EXISTS", "restash:g")
			require.NoError(t, err)
			assert.Zero(t, g.Int)
		})
	}
}

func TestManyPendingTokensAreConfirmedAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		down := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
		for i := range 1501 {
			_, err := store.Invalidate(t.Context(), invalidate.Tags(fmt.Sprint("t", i)))
			require.ErrorIs(t, err, strategies.ErrPending)
		}
		assert.EqualValues(t, 1501, store.Stats().Pending)
		down()
		time.Sleep(61 * time.Second)
		require.NoError(t, store.Flush(t.Context()))
		assert.Zero(t, store.Stats().Pending)
		for _, key := range []string{"restash:t:t0", "restash:t:t1500"} {
			r, err := srv.Do("EXISTS", key)
			require.NoError(t, err)
			assert.EqualValues(t, 1, r.Int, key)
		}
		g, err := srv.Do("EXISTS", "restash:g")
		require.NoError(t, err)
		assert.Zero(t, g.Int)
	})
}

func TestSetManyAndDeleteMany(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	values := map[string]item{}
	for i := range 30 {
		values[fmt.Sprint(i)] = item{N: i}
	}
	check := srv.ExpectBill(t, 1+30+1, 2)
	require.NoError(t, c.SetMany(t.Context(), values))
	check()
	got, err := c.GetMany(t.Context(), []string{"1", "29"}, func(context.Context, []string) (map[string]item, error) {
		return nil, errors.New("not needed")
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]item{"1": {N: 1}, "29": {N: 29}}, got)
	check = srv.ExpectBill(t, 1, 1)
	require.NoError(t, c.DeleteMany(t.Context(), []string{"1", "2"}, nil))
	check()
	var src source
	_, st := get(t, c, "1", &src)
	assert.Equal(t, strategies.Miss, st.State)
	_, st = get(t, c, "3", &src)
	assert.Equal(t, strategies.Hit, st.State)
}

func TestReadYourWritesAcrossInstancesBySyncToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, func(c *upstashtest.Config) { c.ReplicaLag = 500 * time.Millisecond })
		a, b := newStore(t, srv), newStore(t, srv)
		cfg := strategies.Config{Name: "item", TTL: time.Hour}
		ca, cb := strategies.New[item](a, cfg), strategies.New[item](b, cfg)
		var src source
		get(t, ca, "k", &src)
		time.Sleep(time.Second)
		src.value.Store(1)
		_, err := a.Invalidate(t.Context(), invalidate.Key(ca, "k"))
		require.NoError(t, err)
		stale, st := get(t, cb, "k", &src)
		require.Equal(t, []any{0, strategies.Hit}, []any{stale.N, st.State}, "the replica has not heard of it: the test can fail")
		b.Client().SetSyncToken(a.Client().SyncToken())
		v, st := get(t, cb, "k", &src)
		assert.Equal(t, []any{1, strategies.Miss}, []any{v.N, st.State})
	})
}

func TestGetManyMixesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Hour, Negative: time.Hour})
		var mu sync.Mutex
		var asked [][]string
		load := func(_ context.Context, keys []string) (map[string]item, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, keys)
			m := map[string]item{}
			for _, k := range keys {
				if k != "none" {
					m[k] = item{ID: k, N: len(asked)}
				}
			}
			return m, nil
		}
		_, err := c.GetMany(t.Context(), []string{"old", "none"}, load)
		require.NoError(t, err)
		time.Sleep(61 * time.Second)
		_, err = c.GetMany(t.Context(), []string{"fresh"}, load)
		require.NoError(t, err)
		var st strategies.Status
		got, err := c.GetMany(t.Context(), []string{"fresh", "old", "none", "new", "new"}, load, strategies.Report(&st))
		require.NoError(t, err)
		require.NoError(t, store.Flush(t.Context()))
		assert.Equal(t, map[string]item{"fresh": {"fresh", 2}, "old": {"old", 1}, "new": {"new", len(asked)}}, map[string]item{
			"fresh": got["fresh"], "old": got["old"], "new": {"new", len(asked)}})
		assert.Len(t, got, 3)
		assert.Equal(t, strategies.Miss, st.State)
		assert.ElementsMatch(t, [][]string{{"old", "none"}, {"fresh"}, {"old"}, {"new"}}, asked)
		got, err = c.GetMany(t.Context(), []string{"old", "new", "none"}, load, strategies.Report(&st))
		require.NoError(t, err)
		assert.Len(t, got, 2)
		assert.Equal(t, strategies.Hit, st.State)
	})
}

func TestGetManyKeepsWhatCame(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	got, err := c.GetMany(t.Context(), []string{"a", "b"}, func(context.Context, []string) (map[string]item, error) {
		return map[string]item{"a": {N: 1}}, errSource
	})
	require.Equal(t, errSource, err, "the loader's error, unchanged")
	assert.Equal(t, map[string]item{"a": {N: 1}}, got)
	var src source
	_, st := get(t, c, "a", &src)
	assert.Equal(t, strategies.Hit, st.State)
	_, st = get(t, c, "b", &src)
	assert.Equal(t, strategies.Miss, st.State)
}

func TestGetManyWaitsForWhatIsLoadingElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		src.delay.Store(int64(time.Second))
		go get(t, c, "a", &src)
		synctest.Wait()
		var batch atomic.Value
		got, err := c.GetMany(t.Context(), []string{"a", "b"}, func(_ context.Context, keys []string) (map[string]item, error) {
			batch.Store(keys)
			return map[string]item{"b": {N: 2}}, nil
		})
		require.NoError(t, err)
		assert.Len(t, got, 2)
		assert.Equal(t, []string{"b"}, batch.Load())
	})
}

func TestWarmNamesWhatFailed(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[string](store, strategies.Config{Name: "page", TTL: time.Hour, Advanced: strategies.Advanced{CompressFrom: -1}})
	r, err := c.Warm(t.Context(), []string{"ok", "big", "gone", "sick"}, func(context.Context, []string) (map[string]string, error) {
		return map[string]string{"ok": "v", "big": strings.Repeat("x", 600<<10)}, errSource
	})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 0, 0, 3}, []int{r.Warmed, r.Fresh, r.Absent, r.Failed})
	assert.ErrorIs(t, r.Errors["big"], strategies.ErrNotStored)
	assert.ErrorIs(t, r.Errors["sick"], errSource)
	assert.NotZero(t, r.Bytes)
}

func TestWarmLoadsNothingWithoutACache(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	require.NoError(t, srv.Close())
	var src source
	_, err := c.Warm(t.Context(), []string{"a"}, src.loadMany)
	require.Error(t, err)
	assert.Zero(t, src.reads.Load())
}

func TestVariantsShareTheKeysToken(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "page", TTL: time.Hour})
	check := srv.ExpectBill(t, 3, 2)
	_, err := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
		l.StoreVariant("de", item{ID: "vary"})
		return item{ID: "de"}, nil
	})
	require.NoError(t, err)
	check()
	var src source
	v, st := get(t, c, "k", &src)
	assert.Equal(t, []any{"vary", strategies.Hit}, []any{v.ID, st.State})
	v, st = get(t, c, "k", &src, strategies.Variant("de"))
	assert.Equal(t, []any{"de", strategies.Hit}, []any{v.ID, st.State})
	_, err = store.Invalidate(t.Context(), invalidate.Key(c, "k"))
	require.NoError(t, err)
	for _, name := range []string{"", "de"} {
		_, st = get(t, c, "k", &src, strategies.Variant(name))
		assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
	}
}

func TestMemoize(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[int](newStore(t, srv), strategies.Config{Name: "square", TTL: time.Hour})
	calls := 0
	square := strategies.Memoize(c, func(_ context.Context, n int) (int, error) { calls++; return n * n, nil })
	for range 3 {
		v, err := square(t.Context(), 7)
		require.NoError(t, err)
		assert.Equal(t, 49, v)
	}
	v, err := square(t.Context(), 8)
	require.NoError(t, err)
	assert.Equal(t, []int{64, 2}, []int{v, calls})
}

func TestCloseSendsWhatIsPendingThroughAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Breaker.Failures = 1 })
		down := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
		_, err := store.Invalidate(t.Context(), invalidate.Tags("a"))
		require.ErrorIs(t, err, strategies.ErrPending)
		go func() {
			time.Sleep(time.Second)
			down()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, store.Close(ctx))
		token, err := srv.Do("GET", "restash:t:a")
		require.NoError(t, err)
		assert.NotEmpty(t, token.Bytes)
	})
}

func TestOthersPendingInvalidationsAreNotOnesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		defer srv.Intercept(delayed(100 * time.Millisecond))()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				time.Sleep(time.Duration(i*7) * time.Millisecond)
				_, err := store.Invalidate(t.Context(), invalidate.Tags(fmt.Sprint("t", i%5)))
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Zero(t, store.Stats().Pending)
	})
}

func TestASaveThatPanicsInvalidatesToo(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	assert.Panics(t, func() {
		_ = c.WriteThrough(t.Context(), "k", item{}, func(context.Context, item) (item, error) { panic("after the commit") })
	})
	_, st := get(t, c, "k", &src)
	assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
}

func TestAWriteSaysWhatItStored(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[string](newStore(t, srv), strategies.Config{Name: "page", TTL: time.Hour, Advanced: strategies.Advanced{CompressFrom: -1}})
	var st strategies.Status
	require.NoError(t, c.Set(t.Context(), "k", "small", strategies.Report(&st)))
	assert.True(t, st.Stored)
	require.NoError(t, c.Set(t.Context(), "k", strings.Repeat("x", 600<<10), strategies.Report(&st)))
	assert.Equal(t, []bool{false, true}, []bool{st.Stored, st.Oversized})
	other := strategies.New[string](newStore(t, srv), strategies.Config{Name: "page", TTL: time.Hour})
	require.NoError(t, c.WriteThrough(t.Context(), "k", "first", func(ctx context.Context, v string) (string, error) {
		return v, other.Set(ctx, "k", "second")
	}, strategies.Report(&st)))
	assert.False(t, st.Stored, "dead on arrival")
}

func TestABatchOfHitsReportsTheShortestTTL(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	require.NoError(t, c.Set(t.Context(), "a", item{}))
	require.NoError(t, c.Set(t.Context(), "b", item{}, strategies.TTL(time.Minute)))
	var st strategies.Status
	_, err := c.GetMany(t.Context(), []string{"a", "b"}, (&source{}).loadMany, strategies.Report(&st))
	require.NoError(t, err)
	assert.Equal(t, strategies.Hit, st.State)
	assert.InDelta(t, time.Minute.Seconds(), st.TTL.Seconds(), 2)
	assert.False(t, st.StoredAt.IsZero())
}

func TestNoLimitOfTheClientIsNoneOfTheStore(t *testing.T) {
	srv := newServer(t)
	c := newClient(t, srv, func(c *client.Config) { c.Limits.Value = client.NoLimit })
	big := strategies.New[string](storeOn(t, c), strategies.Config{Name: "big", TTL: time.Hour, Advanced: strategies.Advanced{CompressFrom: -1}})
	var st strategies.Status
	_, err := big.Get(t.Context(), "k", func(context.Context, string) (string, error) { return strings.Repeat("x", 1<<20), nil }, strategies.Report(&st))
	require.NoError(t, err)
	assert.True(t, st.Stored)
}
