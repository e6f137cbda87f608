package strategies_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
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

// Defects of the caching layer that this one replaces, by the numbers of
// design.md, section 1.

func TestDefect01StaleWindowExists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: 30 * time.Second})
		var src source
		get(t, c, "k", &src)
		time.Sleep(89 * time.Second)
		src.value.Store(1)
		v, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Stale, st.State)
		assert.Equal(t, 0, v.N)
		require.NoError(t, store.Flush(t.Context()))
		v, st = get(t, c, "k", &src)
		assert.Equal(t, strategies.Hit, st.State)
		assert.Equal(t, 1, v.N)
		time.Sleep(91 * time.Second)
		_, st = get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State)
		assert.Equal(t, strategies.ReasonAbsent, st.Reason, "the entry outlived its stale window")
	})
}

func TestDefect03FailingLoaderRunsOnceAndIsNoCacheFailure(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	src.fail.Store(true)
	for i := range 20 {
		_, err := c.Get(t.Context(), fmt.Sprint("k", i), src.load)
		require.Equal(t, errSource, err, "the loader's error comes back unchanged")
	}
	assert.EqualValues(t, 20, src.reads.Load())
	assert.Equal(t, breaker.Closed, store.Stats().Breaker)
	assert.Zero(t, store.Stats().Errors)
}

func TestDefect05RefreshKeepsTagsAndReportsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Hour})
		var src source
		get(t, c, "k", &src, strategies.Tags("team"))
		time.Sleep(61 * time.Second)
		get(t, c, "k", &src, strategies.Tags("team"))
		require.NoError(t, store.Flush(t.Context()), "Flush waits for the refresh")
		assert.EqualValues(t, 2, src.reads.Load())

		_, err := store.Invalidate(t.Context(), invalidate.Tags("team"))
		require.NoError(t, err)
		_, st := get(t, c, "k", &src, strategies.Tags("team"))
		assert.Equal(t, strategies.Miss, st.State)
		assert.Equal(t, strategies.ReasonInvalidated, st.Reason)

		time.Sleep(61 * time.Second)
		src.fail.Store(true)
		get(t, c, "k", &src, strategies.Tags("team"))
		require.NoError(t, store.Flush(t.Context()))
		assert.EqualValues(t, 1, store.Stats().RefreshesFailed)
	})
}

func TestDefect06NoKeysCommandAndNoGlobFromUsers(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "user", TTL: time.Minute})
	var src source
	var sawKeys atomic.Bool
	defer srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body := peek(r)
		if strings.Contains(body, `"KEYS"`) {
			sawKeys.Store(true)
		}
		next.ServeHTTP(w, r)
	})()
	hostile := "*"
	for _, name := range []string{"ada", "bob", hostile} {
		get(t, c, strategies.Key("by", name), &src)
	}
	r, err := store.Invalidate(t.Context(), invalidate.Pattern(c, "by", hostile))
	require.NoError(t, err)
	assert.Equal(t, 1, r.Keys)
	_, st := get(t, c, strategies.Key("by", "ada"), &src)
	assert.Equal(t, strategies.Hit, st.State)
	r, err = store.Invalidate(t.Context(), invalidate.Pattern(c, "by", invalidate.Any))
	require.NoError(t, err)
	assert.Equal(t, 2, r.Keys)
	assert.False(t, sawKeys.Load())
}

func TestDefect07NoTagSetsAndNoLateLoad(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, Tags: []string{"all-items"}})
	var src source
	for i := range 100 {
		get(t, c, fmt.Sprint("k", i), &src)
	}
	reply, err := srv.Do("DBSIZE")
	require.NoError(t, err)
	assert.EqualValues(t, 100, reply.Int, "entries only: nothing grows with the tag")

	// A load that begins before an invalidation and stores after it.
	loading, go_ := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = c.Get(context.Background(), "late", func(context.Context, string) (item, error) {
			close(loading)
			<-go_
			return item{N: 1}, nil
		})
	}()
	<-loading
	other := newStore(t, srv) // another process: nothing here can void the load
	_, err = other.Invalidate(t.Context(), invalidate.Tags("all-items"))
	require.NoError(t, err)
	close(go_)
	<-done
	src.value.Store(2)
	v, st := get(t, c, "late", &src)
	assert.Equal(t, strategies.Miss, st.State)
	assert.Equal(t, 2, v.N)
}

func TestDefect09BreakerCountsInARowAndClosesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		sick := func() (remove func()) {
			return srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(`{"error":"Unauthorized"}`))
			})
		}
		n := 0
		ask := func(times int) {
			for range times {
				n++
				get(t, c, fmt.Sprint("k", n), &src)
			}
		}
		heal := sick()
		ask(4)
		heal()
		ask(1)
		heal = sick()
		ask(4)
		assert.Equal(t, breaker.Closed, store.Stats().Breaker, "four, a success, four are not five in a row")
		ask(1)
		assert.Equal(t, breaker.Open, store.Stats().Breaker)
		assert.NotEmpty(t, store.Stats().BreakerCause)
		for range 3 { // trials that fail reopen it for a whole minute
			time.Sleep(61 * time.Second)
			ask(1)
			require.Equal(t, breaker.Open, store.Stats().Breaker)
		}
		heal()
		_, st := get(t, c, "open", &src)
		assert.Equal(t, strategies.Bypass, st.State)
		assert.Equal(t, strategies.ReasonBreaker, st.Reason)
		time.Sleep(61 * time.Second)
		ask(3)
		assert.Equal(t, breaker.Closed, store.Stats().Breaker)
	})
}

func TestDefect10MetricsOfTheWholeFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		fleet := func(c *strategies.StoreConfig) { c.FleetMetrics = true }
		a, b := newStore(t, srv, fleet), newStore(t, srv, fleet)
		var src source
		cfg := strategies.Config{Name: "item", TTL: time.Hour}
		ca, cb := strategies.New[item](a, cfg), strategies.New[item](b, cfg)
		for range 3 {
			get(t, ca, "k", &src)
			get(t, cb, "k", &src)
		}
		time.Sleep(61 * time.Second)
		check := srv.ExpectBill(t, 2, 1) // the counters leave with a request that is sent anyway
		get(t, ca, "k", &src)
		check()
		fromB, err := b.Fleet(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 1, fromB.Misses)
		assert.EqualValues(t, 5, fromB.Hits, "two of a, added before its last hit was counted, and three of b's own")

		time.Sleep(time.Second)
		require.NoError(t, a.Close(t.Context()), "adds the rest")
		fromB, err = b.Fleet(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 6, fromB.Hits)
	})
}

func TestKeyOfDifferentPartsDiffers(t *testing.T) {
	type filter struct{ Search, Category string }
	keys := map[string]string{}
	for _, parts := range [][]any{
		{}, {""}, {nil}, {"", ""}, {"a", "b"}, {"a:b"}, {"a%3Ab"}, {"a", "b", ""}, {1}, {1.5}, {true}, {"%-"}, {"%_"},
		{map[string]any{"a": 1, "b": 2}}, {map[string]any{"a": "1&b=2"}}, {map[string]any{"a": map[string]any{"b": 2}}},
		{filter{Search: "x"}}, {filter{Category: "x"}}, {[]string{"a", "b"}}, {[]string{"a,b"}},
		{url.Values{"a": {"1", "2"}}}, {url.Values{"a": {"2", "1"}}}, {url.Values{"a": {"1"}, "c": {"2"}}},
		{"[object Object]"}, {time.Unix(0, 0)}, {"*"},
	} {
		k := strategies.Key(parts...)
		if have, taken := keys[k]; taken {
			t.Errorf("Key%v and Key%s are both %q", parts, have, k)
		}
		keys[k] = fmt.Sprint(parts)
		assert.NotContains(t, k, "*")
	}
	assert.Equal(t, strategies.Key(map[string]any{"a": 1, "b": 2}), strategies.Key(map[string]any{"b": 2, "a": 1}))
	assert.Equal(t, "user:7:a%3Ab", strategies.Key("user", 7, "a:b"))
}
