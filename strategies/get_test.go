package strategies_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

func TestNegative(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour, Negative: time.Minute})
		loads := 0
		ask := func() (strategies.Status, error) {
			var st strategies.Status
			_, err := c.Get(t.Context(), "k", func(context.Context, string) (item, error) {
				loads++
				return item{}, fmt.Errorf("user 7: %w", strategies.ErrNotFound)
			}, strategies.Report(&st))
			return st, err
		}
		_, err := ask()
		require.ErrorIs(t, err, strategies.ErrNotFound)
		assert.EqualError(t, err, "user 7: strategies: not found", "the loader's error, unchanged")
		st, err := ask()
		require.ErrorIs(t, err, strategies.ErrNotFound)
		assert.Equal(t, []any{strategies.Hit, strategies.ReasonNegative}, []any{st.State, st.Reason})
		time.Sleep(61 * time.Second)
		_, err = ask()
		require.ErrorIs(t, err, strategies.ErrNotFound)
		assert.Equal(t, 2, loads)
		assert.EqualValues(t, 1, c.Stats().Negative)
	})
}

func TestStaleIfErrorAndBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute, StaleIfError: time.Hour})
		var src source
		get(t, c, "k", &src)
		time.Sleep(61 * time.Second)
		src.fail.Store(true)
		var at []time.Duration
		begin := time.Now()
		for time.Since(begin) < 100*time.Second {
			before := src.reads.Load()
			_, st := get(t, c, "k", &src)
			require.Equal(t, []any{strategies.Stale, strategies.ReasonLoadFailed}, []any{st.State, st.Reason})
			if src.reads.Load() > before {
				at = append(at, time.Since(begin))
			}
			time.Sleep(250 * time.Millisecond)
		}
		want := []time.Duration{0, 1, 3, 7, 15, 31, 61, 91}
		for i := range want {
			want[i] *= time.Second
		}
		assert.Equal(t, want, at, "1 s × 2ⁿ up to 30 s")
		src.fail.Store(false)
		src.value.Store(5)
		time.Sleep(31 * time.Second)
		v, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State)
		assert.Equal(t, 5, v.N)
	})
}

func TestHardInvalidationIsNeverServedOnErrors(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour})
	var src source
	get(t, c, "k", &src)
	_, err := store.Invalidate(t.Context(), invalidate.Key(c, "k"))
	require.NoError(t, err)
	src.fail.Store(true)
	_, err = c.Get(t.Context(), "k", src.load)
	assert.Equal(t, errSource, err)
}

func TestSoftInvalidationServesStale(t *testing.T) {
	for name, target := range map[string]func(c *strategies.Cache[item]) invalidate.Target{
		"key":    func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Key(c, "a:b") },
		"tag":    func(*strategies.Cache[item]) invalidate.Target { return invalidate.Tags("x") },
		"prefix": func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Prefix(c, "a") },
		"all":    func(*strategies.Cache[item]) invalidate.Target { return invalidate.All() },
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Soft = true })
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"x"}})
			var src source
			get(t, c, "a:b", &src)
			_, err := store.Invalidate(t.Context(), invalidate.Soft(target(c)))
			require.NoError(t, err)
			src.value.Store(1)
			v, st := get(t, c, "a:b", &src)
			assert.Equal(t, strategies.Stale, st.State)
			assert.Equal(t, 0, v.N)
			require.NoError(t, store.Flush(t.Context()))
			v, st = get(t, c, "a:b", &src)
			assert.Equal(t, strategies.Hit, st.State)
			assert.Equal(t, 1, v.N)
		})
	}
}

func TestSoftTargetsNeedASoftStore(t *testing.T) {
	_, err := newStore(t, newServer(t)).Invalidate(t.Context(), invalidate.Soft(invalidate.All()))
	assert.ErrorIs(t, err, strategies.ErrSoft)
}

func TestInlineRefresh(t *testing.T) {
	inline := func(c *strategies.StoreConfig) { c.Executor = strategies.Inline(300 * time.Millisecond) }
	setup := func(t *testing.T, load time.Duration) (*strategies.Cache[item], *source) {
		c := strategies.New[item](newStore(t, newServer(t), inline),
			strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: 40 * time.Second})
		src := &source{}
		src.delay.Store(int64(load))
		get(t, c, "k", src)
		return c, src
	}
	t.Run("a quick load answers fresh", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, src := setup(t, 100*time.Millisecond)
			time.Sleep(61 * time.Second)
			src.value.Store(1)
			v, st := get(t, c, "k", src)
			assert.Equal(t, []any{1, strategies.Miss, strategies.ReasonStale, true}, []any{v.N, st.State, st.Reason, st.Stored})
		})
	})
	t.Run("a load that became slow is not waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, src := setup(t, 100*time.Millisecond)
			time.Sleep(61 * time.Second)
			src.delay.Store(int64(5 * time.Second))
			began := time.Now()
			_, st := get(t, c, "k", src)
			assert.Equal(t, strategies.Stale, st.State)
			assert.Equal(t, 300*time.Millisecond, time.Since(began))
		})
	})
	t.Run("a slow load waits for the last quarter, then one caller pays", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, src := setup(t, 400*time.Millisecond)
			time.Sleep(61 * time.Second)
			began := time.Now()
			_, st := get(t, c, "k", src)
			assert.Equal(t, strategies.Stale, st.State)
			assert.Zero(t, time.Since(began))
			assert.EqualValues(t, 1, src.reads.Load(), "not even started")
			time.Sleep(30 * time.Second)
			var wg sync.WaitGroup
			var states [3]strategies.State
			for i := range states {
				wg.Go(func() { _, st := get(t, c, "k", src); states[i] = st.State })
			}
			wg.Wait()
			assert.EqualValues(t, 2, src.reads.Load())
			assert.ElementsMatch(t, []strategies.State{strategies.Miss, strategies.Stale, strategies.Stale}, states[:])
		})
	})
}

func TestCallersLeaveAndLoadsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		src.delay.Store(int64(time.Second))
		type key struct{}
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "trace"), 300*time.Millisecond)
		defer cancel()
		var saw atomic.Value
		_, err := c.Get(ctx, "k", func(ctx context.Context, k string) (item, error) {
			saw.Store(ctx.Value(key{}))
			return src.load(ctx, k)
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, "trace", saw.Load(), "the load keeps its caller's values")
		time.Sleep(time.Second)
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Hit, st.State, "the load outlived its caller")
	})
}

func TestPanicIsAnErrorForEveryWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		boom := errors.New("boom")
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				_, err := c.Get(t.Context(), "k", func(context.Context, string) (item, error) {
					time.Sleep(time.Second)
					panic(boom)
				})
				var p *strategies.PanicError
				if assert.ErrorAs(t, err, &p) {
					assert.ErrorIs(t, err, boom)
					assert.Contains(t, string(p.Stack), "get_test.go")
				}
			})
		}
		wg.Wait()
	})
}

func TestHardTimeoutEndsALoadThatIgnoresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour,
			Advanced: strategies.Advanced{HardTimeout: 2 * time.Second}})
		began := time.Now()
		_, err := c.Get(t.Context(), "k", func(context.Context, string) (item, error) {
			time.Sleep(time.Minute)
			return item{}, nil
		})
		require.ErrorIs(t, err, strategies.ErrLoadTimeout)
		assert.Equal(t, 2*time.Second, time.Since(began))
		time.Sleep(time.Minute)
		var src source
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State, "a load past its time is not stored")
	})
}

func TestSoftTimeoutFallsBackToStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute, StaleIfError: time.Hour,
			Advanced: strategies.Advanced{SoftTimeout: 200 * time.Millisecond}})
		var src source
		get(t, c, "k", &src)
		time.Sleep(61 * time.Second)
		src.delay.Store(int64(time.Second))
		src.value.Store(1)
		began := time.Now()
		v, st := get(t, c, "k", &src)
		assert.Equal(t, []any{0, strategies.Stale, 200 * time.Millisecond}, []any{v.N, st.State, time.Since(began)})
		time.Sleep(2 * time.Second)
		v, st = get(t, c, "k", &src)
		assert.Equal(t, []any{1, strategies.Hit}, []any{v.N, st.State}, "the load went on and was stored")
	})
}

func TestOffWithoutClientOrByKillSwitch(t *testing.T) {
	var src source
	check := func(store *strategies.Store) {
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		_, st := get(t, c, "k", &src)
		assert.Equal(t, []any{strategies.Bypass, strategies.ReasonDisabled}, []any{st.State, st.Reason})
		m, err := c.GetMany(t.Context(), []string{"a", "b"}, src.loadMany)
		require.NoError(t, err)
		assert.Len(t, m, 2)
		saved := false
		require.NoError(t, c.WriteThrough(t.Context(), "k", item{}, func(_ context.Context, v item) (item, error) { saved = true; return v, nil }))
		assert.True(t, saved)
		assert.True(t, store.Stats().Disabled)
	}
	check(storeOn(t, nil))
	srv := newServer(t)
	t.Setenv("RESTASH_DISABLE", "1")
	check(newStore(t, srv))
}

func TestBudgetBoundsADeadRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		hang := srv.Intercept(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })
		defer hang()
		var src source
		for i := range 5 {
			began := time.Now()
			_, st := get(t, c, "k", &src)
			assert.Equal(t, strategies.Miss, st.State)
			assert.Equal(t, time.Second, time.Since(began), "call %d", i)
			assert.Error(t, st.Err)
		}
		began := time.Now()
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.ReasonBreaker, st.Reason)
		assert.Zero(t, time.Since(began))
		assert.Equal(t, breaker.Open, store.Stats().Breaker)
	})
}

func TestWhileTheBreakerIsOpenLoadsCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Breaker.Failures = 1 })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		defer srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusUnauthorized) })()
		var src source
		get(t, c, "k", &src)
		require.Equal(t, breaker.Open, store.Stats().Breaker)
		src.delay.Store(int64(time.Second))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { get(t, c, "k", &src) })
		}
		wg.Wait()
		assert.LessOrEqual(t, src.reads.Load(), int64(1+2), "a stampede is two loads at most")

		// An invalidation while it is open still reaches this process's loads.
		wg.Go(func() { get(t, c, "k", &src) })
		synctest.Wait()
		src.value.Store(9)
		_, err := store.Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.ErrorIs(t, err, strategies.ErrPending)
		v, _ := get(t, c, "k", &src)
		assert.Equal(t, 9, v.N)
		wg.Wait()
	})
}
