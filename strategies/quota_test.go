package strategies_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

const monthly = 2500

// app is an application of n instances with an important class and an expendable
// one. Its reads of a month would cost three times the quota.
type app struct {
	stores          []*strategies.Store
	pages, previews []*strategies.Cache[item]
	src             source
	refused         atomic.Int64
	pending         int // invalidations that failed
}

func newApp(t *testing.T, n int, limits upstashtest.Limits, quota strategies.Quota) *app {
	t.Helper()
	srv := newServer(t, func(c *upstashtest.Config) { c.Limits = limits })
	a := &app{}
	srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		if strings.Contains(rec.Body.String(), "limit exceeded") {
			a.refused.Add(1)
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
	for range n {
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Quota, c.FleetMetrics, c.Audit = quota, n > 1, 20 })
		a.stores = append(a.stores, store)
		a.pages = append(a.pages, strategies.New[item](store, strategies.Config{Name: "page", TTL: 6 * time.Hour, StaleWhileRevalidate: time.Hour}))
		a.previews = append(a.previews, strategies.New[item](store, strategies.Config{Name: "preview", TTL: time.Hour,
			StaleWhileRevalidate: 4 * time.Hour, Advanced: strategies.Advanced{Expendable: true}}))
	}
	return a
}

// month lets January pass: every half an hour one read of a page (1,488, with the
// misses two thirds of the quota) and five of previews.
func (a *app) month(t *testing.T) {
	for half := range 31 * 48 {
		at := half % len(a.stores)
		get(t, a.pages[at], "home", &a.src)
		for i := range 5 {
			get(t, a.previews[(at+i)%len(a.stores)], fmt.Sprint(i%3), &a.src)
		}
		if half%48 == 7 {
			if _, err := a.stores[at].Invalidate(t.Context(), invalidate.Key(a.pages[at], "home")); err != nil {
				a.pending++
			}
		}
		time.Sleep(30 * time.Minute)
	}
}

// results are hits, misses and bypassed reads of a class.
func results(caches []*strategies.Cache[item]) (sum [3]int64) {
	for _, c := range caches {
		st := c.Stats()
		sum[0], sum[1], sum[2] = sum[0]+st.Hits, sum[1]+st.Misses, sum[2]+st.Bypass
	}
	return sum
}

// Three times the quota's traffic ends the month without a refused command, and
// with the hits of the important class unchanged.
func TestQuotaLastsTheMonth(t *testing.T) {
	fleets := []int{1, 3}
	if raced {
		fleets = fleets[1:] // it takes minutes
	}
	for _, instances := range fleets {
		t.Run(fmt.Sprintf("%d instances", instances), func(t *testing.T) {
			var unlimited [3]int64
			synctest.Test(t, func(t *testing.T) {
				free := newApp(t, instances, upstashtest.Limits{}, strategies.Quota{})
				free.month(t)
				unlimited = results(free.pages)
				var commands int64
				for _, s := range free.stores {
					commands += s.Stats().Commands
				}
				require.Greater(t, commands, int64(3*monthly), "the traffic")
			})
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, instances, upstashtest.Limits{Monthly: monthly}, strategies.Quota{Monthly: monthly})
				a.month(t)
				assert.Zero(t, a.refused.Load(), "refused commands")
				assert.Zero(t, a.pending)
				assert.Equal(t, unlimited, results(a.pages), "the important class")
				previews := results(a.previews)
				assert.Positive(t, previews[0], "what is left is used")
				assert.Greater(t, previews[2], previews[0], "most is left out")
				time.Sleep(time.Hour)
				get(t, a.previews[0], "0", &a.src)
				get(t, a.previews[0], "0", &a.src)
				_, st := get(t, a.previews[0], "0", &a.src)
				assert.Equal(t, strategies.Hit, st.State, "the next month has a quota of its own")
				assert.Less(t, a.stores[0].Stats().Quota.Used, int64(20))
			})
		})
	}
}

// Without it the same month is refused, so the test above can fail.
func TestQuotaIsRunIntoWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, 1, upstashtest.Limits{Monthly: monthly}, strategies.Quota{})
		a.month(t)
		assert.Positive(t, a.refused.Load())
	})
}

// What is left out, step by step, and what is told of it.
func TestQuotaSavesOptionalWorkFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Quota, c.Audit = strategies.Quota{Daily: 1000}, 1 })
		page := strategies.New[item](store, strategies.Config{Name: "page", TTL: time.Hour})
		list := strategies.New[item](store, strategies.Config{Name: "list", TTL: time.Second, StaleWhileRevalidate: time.Hour,
			Advanced: strategies.Advanced{Expendable: true}})
		preview := strategies.New[item](store, strategies.Config{Name: "preview", TTL: time.Hour, Advanced: strategies.Advanced{Expendable: true}})
		src := &source{}
		spend := func(upTo int64) {
			for store.Stats().Quota.Used < upTo {
				_, err := store.Invalidate(t.Context(), invalidate.Tags("none"))
				require.NoError(t, err)
			}
		}
		get(t, page, "k", src)
		get(t, list, "k", src)
		get(t, preview, "k", src)
		assert.Equal(t, strategies.SaveNothing, store.Stats().Quota.Saving)
		spend(31)
		assert.Equal(t, strategies.SaveOptional, store.Stats().Quota.Saving)
		reads := src.reads.Load()
		_, st := get(t, preview, "k", src)
		assert.Equal(t, strategies.Hit, st.State)
		time.Sleep(2 * time.Second)
		_, st = get(t, list, "k", src)
		assert.Equal(t, strategies.Stale, st.State)
		_, err := page.Warm(t.Context(), []string{"w"}, src.loadMany)
		require.ErrorIs(t, err, strategies.ErrQuotaNear)
		assert.Equal(t, reads, src.reads.Load(), "no audit, no refresh, no warm-up")
		assert.EqualValues(t, 3, store.Stats().Shed)

		spend(51)
		assert.Equal(t, strategies.SaveClasses, store.Stats().Quota.Saving)
		before := store.Stats().Commands
		_, st = get(t, preview, "k", src)
		assert.Equal(t, strategies.Bypass, st.State)
		assert.Equal(t, strategies.ReasonQuota, st.Reason)
		assert.Equal(t, before, store.Stats().Commands)
		_, st = get(t, page, "k", src)
		assert.Equal(t, strategies.Hit, st.State)

		spend(990)
		_, st = get(t, page, "k", src)
		assert.Equal(t, strategies.ReasonQuota, st.Reason)
		assert.Equal(t, strategies.SaveReads, store.Stats().Quota.Saving)
		_, err = store.Invalidate(t.Context(), invalidate.Tags("none"))
		require.NoError(t, err, "invalidations leave always")
		assert.Zero(t, store.Stats().Errors)
		time.Sleep(24 * time.Hour)
		_, st = get(t, page, "k", src)
		assert.Equal(t, strategies.Miss, st.State, "a new day")
		assert.Equal(t, "day", store.Stats().Quota.Period)
	})
}

func TestQuotaNegativeIsRefused(t *testing.T) {
	_, err := strategies.NewStore(nil, strategies.StoreConfig{Quota: strategies.Quota{Monthly: -1}})
	assert.ErrorContains(t, err, "StoreConfig.Quota")
}
