package ops

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

func asked(t *testing.T, page http.Handler) (r report) {
	t.Helper()
	answer := rig.Get(page, "/cache", "Accept: application/json")
	require.Equal(t, http.StatusOK, answer.Status)
	require.NoError(t, json.Unmarshal([]byte(answer.Body), &r))
	return r
}

// The totals are the sums of the rows, functions and routes alike; samples span a
// quarter of an hour, and the day's bill begins at midnight.
func TestReportAddsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(23 * time.Hour) // a bubble begins at midnight UTC
		srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		store := rig.On(t, srv).Store
		page := Dashboard(store)
		var runs atomic.Int64
		mux := rig.Mount(store, "/x", rig.ListConfig(), rig.Counting(&runs))
		users := strategies.New[int](store, strategies.Config{Name: "user", TTL: time.Hour})
		for range 60 {
			rig.Get(mux, "/x")
			rig.Post(mux, "/x", "")
			_, err := users.Get(t.Context(), "ada", func(context.Context, string) (int, error) { time.Sleep(time.Second); return 1, nil })
			require.NoError(t, err)
			time.Sleep(time.Minute - time.Second)
		}
		before := asked(t, page)
		for range 200 {
			rig.Get(mux, "/x?search=other")
			time.Sleep(5 * time.Second)
		}
		runtime.GC()
		r := asked(t, page)
		var sum totals
		for _, row := range r.Rows {
			sum.Hits += row.Hits
			sum.Stale += row.Stale
			sum.Misses += row.Misses
			sum.Bypass += row.Bypass
		}
		assert.Equal(t, sum, r.Totals)
		assert.Equal(t, int64(60), sum.Bypass)
		assert.Equal(t, int64(60+60+200), sum.Hits+sum.Stale+sum.Misses)
		assert.Len(t, r.History, 181)
		first, last := r.History[0], r.History[180]
		assert.InDelta(t, 15*60*1000, last.At-first.At, 10_000)
		assert.Equal(t, r.Totals, last.totals)
		assert.Equal(t, srv.Bill().Commands, last.Commands)
		assert.Equal(t, "closed", last.Breaker)
		assert.Equal(t, "user", r.Rows[1].Name)
		assert.InDelta(t, 1000, r.Rows[1].LoadP99, 130)
		assert.Equal(t, before.Totals.Bypass+before.Totals.Hits+before.Totals.Misses, before.Today.Answers-before.Totals.Stale, "until midnight all is of today")
		assert.Equal(t, 0, r.Today.Since.UTC().Hour(), "after midnight the bill begins anew")
		assert.InDelta(t, 200-12, r.Today.Answers, 2, "a minute of them was before")
		assert.InDelta(t, 200-12, r.Today.Commands, 3)
		assert.GreaterOrEqual(t, len(r.TopMisses), 3)
	})
}

// The page goes on while Redis is down, and says so.
func TestReportWithoutRedis(t *testing.T) {
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	defer c.Close()
	store, err := strategies.NewStore(c, strategies.StoreConfig{FleetMetrics: true})
	require.NoError(t, err)
	defer func() { assert.Error(t, store.Close(t.Context()), "it cannot add its counters to the fleet's") }()
	srv.Intercept(func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) })
	var runs atomic.Int64
	mux := rig.Mount(store, "/x", rig.ListConfig(), rig.Counting(&runs))
	for range 8 {
		rig.Get(mux, "/x")
	}
	r := asked(t, Dashboard(store))
	assert.Equal(t, "open", r.Cache.Breaker)
	assert.NotEmpty(t, r.Cache.BreakerCause)
	assert.Equal(t, "open", r.History[len(r.History)-1].Breaker)
	assert.Equal(t, int64(8), r.Totals.Misses+r.Totals.Bypass)
	assert.Positive(t, r.Totals.Errors)
}
