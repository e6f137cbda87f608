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

func TestFetchDecidesWhatIsStored(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	fetch := func(key string, load func(*strategies.Load[item]) (item, error), opts ...strategies.Option) (item, strategies.Status) {
		var st strategies.Status
		v, err := c.Fetch(t.Context(), key, func(_ context.Context, l *strategies.Load[item]) (item, error) { return load(l) }, append(opts, strategies.Report(&st))...)
		require.NoError(t, err)
		return v, st
	}
	ttl := func(key string) time.Duration {
		keys, err := srv.Do("KEYS", "restash:e:item:*:"+key)
		require.NoError(t, err)
		require.Len(t, keys.Array, 1)
		ms, err := srv.Do("PTTL", string(keys.Array[0].Bytes))
		require.NoError(t, err)
		return time.Duration(ms.Int) * time.Millisecond
	}
	_, st := fetch("no", func(l *strategies.Load[item]) (item, error) { l.DoNotStore(); return item{N: 1}, nil })
	assert.False(t, st.Stored)
	fetch("ttl", func(l *strategies.Load[item]) (item, error) {
		l.SetTTL(time.Minute)
		l.SetStaleIfError(10 * time.Minute)
		return item{N: 1}, nil
	})
	assert.InDelta(t, (11 * time.Minute).Seconds(), ttl("ttl").Seconds(), 2)
	fetch("long", func(l *strategies.Load[item]) (item, error) { l.SetTTL(30 * 24 * time.Hour); return item{}, nil })
	assert.InDelta(t, strategies.MaxExpiry.Seconds(), ttl("long").Seconds(), 2)

	v, st := fetch("ttl", func(l *strategies.Load[item]) (item, error) {
		old, ok := l.Old()
		assert.True(t, ok)
		assert.Equal(t, 1, old.N)
		return l.NotModified()
	}, strategies.Force())
	assert.Equal(t, []any{1, strategies.Miss, strategies.ReasonForced, true}, []any{v.N, st.State, st.Reason, st.Stored})
	assert.InDelta(t, time.Hour.Seconds(), ttl("ttl").Seconds(), 2, "stamped again")

	_, err := store.Invalidate(t.Context(), invalidate.All())
	require.NoError(t, err)
	fetch("ttl", func(l *strategies.Load[item]) (item, error) {
		_, ok := l.Old()
		assert.False(t, ok, "an invalidated value is not handed out again")
		return item{}, nil
	})
}

func TestDoNotShareReleasesJoinersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		var n atomic.Int64
		var wg sync.WaitGroup
		began := time.Now()
		values := make([]int, 5)
		for i := range values {
			wg.Go(func() {
				v, err := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
					mine := int(n.Add(1))
					time.Sleep(time.Second)
					l.DoNotShare()
					time.Sleep(time.Minute) // longer than the hard timeout
					return item{N: mine}, nil
				})
				assert.NoError(t, err)
				values[i] = v.N
			})
		}
		wg.Wait()
		assert.ElementsMatch(t, []int{1, 2, 3, 4, 5}, values, "nobody got another's value")
		assert.Equal(t, 62*time.Second, time.Since(began), "all but the first together, behind its decision")
	})
}

func TestMaxLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.MaxLoads = 2 })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var now, most atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := c.Get(t.Context(), fmt.Sprint(i), func(context.Context, string) (item, error) {
					most.Store(max(most.Load(), now.Add(1)))
					time.Sleep(time.Second)
					now.Add(-1)
					return item{}, nil
				})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 2, most.Load())
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
		require.NoError(t, c.WriteThrough(t.Context(), "k", item{}, func(context.Context, item) error { saved = true; return nil }))
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
		assert.EqualValues(t, 2, src.reads.Load())

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

func TestTooManyTagsIsAnError(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"a"}})
	var src source
	many := make([]string, strategies.MaxTags)
	for i := range many {
		many[i] = fmt.Sprint("t", i)
	}
	_, err := c.Get(t.Context(), "k", src.load, strategies.Tags(many...))
	assert.ErrorIs(t, err, strategies.ErrTags)
	_, err = c.Get(t.Context(), "k", src.load, strategies.Tags(""))
	assert.ErrorIs(t, err, strategies.ErrTags)
	get(t, c, "k", &src, strategies.Tags(many[1:]...))
}

func TestTagOfALaterCallThatTheEntryLacks(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	_, st := get(t, c, "k", &src, strategies.Tags("new"))
	assert.Equal(t, strategies.Hit, st.State, "the tag was never invalidated")
	_, err := store.Invalidate(t.Context(), invalidate.Tags("new"))
	require.NoError(t, err)
	_, st = get(t, c, "k", &src, strategies.Tags("new"))
	assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
}

func TestSourceLagStoresNothingYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.SourceLag = 5 * time.Second })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		_, err := store.Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.NoError(t, err)
		for _, wait := range []time.Duration{0, 6900 * time.Millisecond} {
			time.Sleep(wait)
			_, st := get(t, c, "k", &src)
			assert.False(t, st.Stored, "the source may not have the change yet")
		}
		time.Sleep(200 * time.Millisecond)
		_, st := get(t, c, "k", &src)
		assert.True(t, st.Stored)
	})
}

func TestHostileEntriesAreMisses(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	keys, err := srv.Do("KEYS", "restash:e:*")
	require.NoError(t, err)
	key := string(keys.Array[0].Bytes)
	whole, err := srv.Do("GET", key)
	require.NoError(t, err)
	good := string(whole.Bytes)
	for i, bad := range []string{"", "{}", "R2" + good[2:], good[:12], good[:len(good)-3], strings.Replace(good, " - ", " zb ", 1), "R1 zzzzzzzzzzz 1 1 1 1 - \n{}", `"` + good + `"`} {
		_, err := srv.Do("SET", key, bad)
		require.NoError(t, err)
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State, bad)
		assert.Equal(t, strategies.ReasonUndecodable, st.Reason, "%d: %s", i, bad)
		assert.EqualValues(t, i+1, store.Stats().Errors)
	}
}

func TestStrictDistrustsWhatWasStoredWithoutTokens(t *testing.T) {
	srv := newServer(t)
	cfg := strategies.Config{Name: "item", TTL: time.Hour}
	var src source
	get(t, strategies.New[item](newStore(t, srv), cfg), "k", &src)
	c := strategies.New[item](newStore(t, srv, func(c *strategies.StoreConfig) { c.Strict = true }), cfg)
	_, st := get(t, c, "k", &src)
	assert.Equal(t, []any{strategies.Miss, strategies.ReasonInvalidated}, []any{st.State, st.Reason})
}
