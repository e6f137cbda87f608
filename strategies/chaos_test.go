package strategies_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// faults of every kind, 30 of 100 requests in all.
func faults() []upstashtest.Fault {
	var list []upstashtest.Fault
	for _, do := range []upstashtest.Action{
		upstashtest.Delay(300 * time.Millisecond), upstashtest.Delay(5 * time.Second),
		upstashtest.Status(500, "oops"), upstashtest.Status(429, `{"error":"ERR too many requests"}`),
		upstashtest.Status(401, `{"error":"Unauthorized"}`), upstashtest.ResetBefore(), upstashtest.ResetAfter(),
		upstashtest.CutBody(5), upstashtest.Garbage(), upstashtest.Drip(3, 50*time.Millisecond),
	} {
		list = append(list, upstashtest.Fault{Do: do, Chance: 0.035})
	}
	return list
}

// The second promise under faults: who has a working loader gets a value.
func TestChaos(t *testing.T) {
	gets := 50_000
	if testing.Short() {
		gets = 2_000
	}
	for name, failures := range map[string]int{"breaker on": 0, "breaker off": breaker.Off} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, gets, failures) })
		})
	}
}

func chaos(t *testing.T, gets, failures int) {
	const budget, workers, keys = time.Second, 16, 200
	srv := newServer(t)
	store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Budget, c.Breaker.Failures = budget, failures })
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: 30 * time.Second, StaleWhileRevalidate: 10 * time.Second, StaleIfError: time.Minute})
	remove := srv.Faults(1, faults()...)
	var failed, loads, sick atomic.Int64
	took := make([][]time.Duration, workers)
	var wg sync.WaitGroup
	for w := range workers {
		rnd := rand.New(rand.NewPCG(uint64(w), 2))
		wg.Go(func() {
			for range gets / workers {
				time.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond)
				key := fmt.Sprint("k", rnd.IntN(keys))
				broken := rnd.IntN(20) == 0
				began := time.Now()
				v, err := c.Get(context.Background(), key, func(context.Context, string) (item, error) {
					loads.Add(1)
					if broken {
						sick.Add(1)
						return item{}, errSource
					}
					return item{ID: key}, nil
				})
				took[w] = append(took[w], time.Since(began))
				switch {
				case err == nil:
					assert.Equal(t, key, v.ID)
				case err != errSource:
					failed.Add(1)
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	remove()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	p99 := all[len(all)*99/100]
	st := store.Stats()
	t.Logf("%d gets, %d loads, p99 %s, max %s, errors %d, hits %d, bypass %d", len(all), loads.Load(), p99, all[len(all)-1], st.Errors, st.Hits, st.Bypass)
	assert.Zero(t, failed.Load())
	assert.LessOrEqual(t, p99, budget)
	assert.LessOrEqual(t, all[len(all)-1], 2*budget, "its own read, and the store of a load that it shared")
	assert.LessOrEqual(t, loads.Load(), int64(gets)+st.Refreshes, "at most one load a call, and the refreshes")
	time.Sleep(2 * time.Minute)
	require.NoError(t, store.Flush(context.Background()))
}
