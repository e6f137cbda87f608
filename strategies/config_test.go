package strategies_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

func TestConfigErrorsNameTheField(t *testing.T) {
	store := storeOn(t, nil)
	for field, cfg := range map[string]strategies.Config{
		"Config.Name":                 {TTL: time.Hour},
		`Config.Name is "a:b"`:        {Name: "a:b", TTL: time.Hour},
		"Config.TTL":                  {Name: "x"},
		"Config.TTL and the longer":   {Name: "x", TTL: strategies.MaxExpiry, StaleIfError: time.Hour},
		"Config.StaleWhileRevalidate": {Name: "x", TTL: time.Hour, StaleWhileRevalidate: -1},
		"Config.StaleIfError":         {Name: "x", TTL: time.Hour, StaleIfError: -1},
		"Config.Negative":             {Name: "x", TTL: time.Hour, Negative: -1},
		"Config.Tags":                 {Name: "x", TTL: time.Hour, Tags: make([]string, 17)},
		"Config.Tags has an empty":    {Name: "x", TTL: time.Hour, Tags: []string{""}},
		"Config.Version":              {Name: "x", TTL: time.Hour, Version: "*"},
		"Config.Advanced.Jitter":      {Name: "x", TTL: time.Hour, Advanced: strategies.Advanced{Jitter: 0.6}},
		"Config.Advanced.SoftTimeout": {Name: "x", TTL: time.Hour, Advanced: strategies.Advanced{SoftTimeout: -1}},
		"Config.Advanced.HardTimeout": {Name: "x", TTL: time.Hour, Advanced: strategies.Advanced{HardTimeout: time.Hour}},
		"Config.Advanced.Lease":       {Name: "x", TTL: time.Hour, Advanced: strategies.Advanced{Lease: -1}},
		"Config.Advanced.Lease is 20": {Name: "x", TTL: time.Hour, Advanced: strategies.Advanced{Lease: 20 * time.Second}},
	} {
		func() {
			defer func() { assert.Contains(t, fmt.Sprint(recover()), field) }()
			strategies.New[int](store, cfg)
		}()
	}
	for field, cfg := range map[string]strategies.StoreConfig{
		"StoreConfig.Namespace": {Namespace: "a b"}, "StoreConfig.Budget": {Budget: -1},
		"StoreConfig.SourceLag": {SourceLag: -1}, "StoreConfig.MaxLoads": {MaxLoads: -1},
		"StoreConfig.Breaker": {Breaker: breaker.Config{Trials: -1}},
	} {
		_, err := strategies.NewStore(nil, cfg)
		assert.ErrorContains(t, err, field)
	}
}

func TestOneNameForTwoTypes(t *testing.T) {
	store := storeOn(t, nil)
	cfg := strategies.Config{Name: "x", TTL: time.Hour}
	strategies.New[int](store, cfg)
	assert.NotPanics(t, func() { strategies.New[int](store, cfg) })
	assert.NotPanics(t, func() { strategies.New[string](store, cfg) }, "another fingerprint")
	cfg.Version = "1"
	strategies.New[int](store, cfg)
	assert.Panics(t, func() { strategies.New[string](store, cfg) })
}

func TestTypesOfDifferentShapeNeverShareEntries(t *testing.T) {
	type v1 struct{ A int }
	type v2 struct{ A, B int }
	srv := newServer(t)
	store := newStore(t, srv)
	cfg := strategies.Config{Name: "x", TTL: time.Hour}
	_, err := strategies.New[v1](store, cfg).Get(t.Context(), "k", func(context.Context, string) (v1, error) { return v1{1}, nil })
	require.NoError(t, err)
	got, err := strategies.New[v2](store, cfg).Get(t.Context(), "k", func(context.Context, string) (v2, error) { return v2{1, 2}, nil })
	require.NoError(t, err)
	assert.Equal(t, v2{1, 2}, got)
}

func TestDefaultNamespaceKeepsEnvironmentsApart(t *testing.T) {
	seen := map[string]bool{}
	for _, env := range [][2]string{{"", ""}, {"production", "main"}, {"development", ""}, {"preview", ""}, {"preview", "feature"},
		{"preview", "feature/x"}, {"preview", "feature-x"}, {"preview", strings.Repeat("long", 20)}, {"preview", strings.Repeat("long", 21)}} {
		t.Setenv("VERCEL_ENV", env[0])
		t.Setenv("VERCEL_GIT_COMMIT_REF", env[1])
		ns := storeOn(t, nil).Namespace()
		assert.False(t, seen[ns], "%v shares %s", env, ns)
		seen[ns] = true
	}
	assert.True(t, seen["restash"])
	assert.True(t, seen["restash-preview-feature"])
}

func TestJitterOnlyShortens(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{Jitter: 0.2}})
	var src source
	distinct := map[time.Duration]bool{}
	for i := range 200 {
		get(t, c, fmt.Sprint(i), &src)
		_, st := get(t, c, fmt.Sprint(i), &src)
		assert.LessOrEqual(t, st.TTL, time.Hour)
		assert.GreaterOrEqual(t, st.TTL, 48*time.Minute-time.Second)
		distinct[st.TTL.Truncate(time.Second)] = true
	}
	assert.Greater(t, len(distinct), 100)
}

func TestKeyTags(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	tags := strategies.KeyTags(func(key string) []string { return []string{"of:" + key} })
	var src source
	for range 2 {
		_, err := c.GetMany(t.Context(), []string{"a", "b"}, src.loadMany, tags)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, src.reads.Load())
	_, err := store.Invalidate(t.Context(), invalidate.Tags("of:a"))
	require.NoError(t, err)
	_, st := get(t, c, "a", &src, tags)
	assert.Equal(t, strategies.Miss, st.State)
	_, st = get(t, c, "b", &src, tags)
	assert.Equal(t, strategies.Hit, st.State)
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		a := strategies.New[item](store, strategies.Config{Name: "a", TTL: time.Minute, StaleWhileRevalidate: time.Minute})
		b := strategies.New[item](store, strategies.Config{Name: "b", TTL: time.Minute})
		var src source
		for range 4 {
			get(t, a, "k", &src)
		}
		get(t, b, "k", &src)
		time.Sleep(61 * time.Second)
		get(t, a, "k", &src)
		require.NoError(t, store.Flush(t.Context()))
		st := store.Stats()
		assert.Equal(t, []int64{4, 2, 1, 1, 0}, []int64{st.Hits, st.Misses, st.Stale, st.Refreshes, st.Errors})
		assert.Equal(t, []int64{4, 1}, []int64{st.Handles["a"].Hits, st.Handles["b"].Misses})
		assert.InDelta(t, 0.67, st.HitRate(), 0.01)
		bill := srv.Bill()
		assert.Equal(t, []int64{bill.Commands, bill.Trips}, []int64{st.Commands, st.Trips}, "as the server counts")
		ha, hb := st.Handles["a"], st.Handles["b"]
		assert.Equal(t, []int64{bill.Commands, bill.Trips}, []int64{ha.Commands + hb.Commands, ha.Trips + hb.Trips})
		assert.NotZero(t, ha.BytesIn)
		assert.NotZero(t, ha.BytesOut)
		assert.NotZero(t, st.BytesOut)
		assert.NotZero(t, st.BytesIn)
	})
}

func TestTrace(t *testing.T) {
	var log []string
	srv := newServer(t)
	store := newStore(t, srv, func(c *strategies.StoreConfig) {
		c.Trace = &strategies.Trace{
			Answer: func(h, k string, st strategies.Status, _ time.Duration) {
				log = append(log, fmt.Sprint(h, " ", k, " ", st.State))
			},
			Load: func(h, k string, refresh bool, _ time.Duration, err error) {
				log = append(log, fmt.Sprint("load ", h, " ", k, " ", refresh, " ", err))
			},
			Invalidate: func(r invalidate.Report, err error) {
				log = append(log, fmt.Sprint("invalidate ", r.Commands, " ", err))
			},
		}
	})
	c := strategies.New[item](store, strategies.Config{Name: "a", TTL: time.Minute})
	var src source
	get(t, c, "k", &src)
	get(t, c, "k", &src)
	_, err := store.Invalidate(t.Context(), invalidate.All())
	require.NoError(t, err)
	assert.Equal(t, []string{"load a k false <nil>", "a k MISS", "a k HIT", "invalidate 1 <nil>"}, log)
}

func TestHalfOpenLetsThreeInAndTheOthersLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		down := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusUnauthorized) })
		for i := range 5 {
			get(t, c, fmt.Sprint(i), &src)
		}
		down()
		time.Sleep(61 * time.Second)
		defer srv.Intercept(delayed(100 * time.Millisecond))()
		before := srv.Bill()
		var wg sync.WaitGroup
		states := make([]strategies.State, 10)
		for i := range states {
			wg.Go(func() {
				v, st := get(t, c, fmt.Sprint("k", i), &src)
				states[i] = st.State
				assert.NotEmpty(t, v.ID)
			})
		}
		wg.Wait()
		count := map[strategies.State]int{}
		for _, s := range states {
			count[s]++
		}
		assert.Equal(t, map[strategies.State]int{strategies.Miss: 3, strategies.Bypass: 7}, count)
		assert.Equal(t, breaker.Closed, store.Stats().Breaker)
		sent := srv.Bill().Sub(before).Commands
		assert.True(t, sent >= 4 && sent <= 6, "three reads, and the stores behind the success that closed it: %d", sent)
	})
}

func TestTenMegabytesUnderAnEntrysKeyAreAMiss(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv, func(c *strategies.StoreConfig) { c.Budget = time.Minute }), strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	_, err := srv.Do("SET", "restash:e:item:"+srvFingerprint(t, srv)+":k", strings.Repeat("x", 10<<20))
	require.NoError(t, err)
	_, st := get(t, c, "k", &src)
	assert.Equal(t, strategies.Miss, st.State)
	assert.Contains(t, []string{strategies.ReasonUndecodable, strategies.ReasonError}, st.Reason)
	assert.EqualValues(t, 1, c.Stats().Errors)
}
