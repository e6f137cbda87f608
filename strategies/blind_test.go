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
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
)

// blindStores are Stores whose calls have no snapshot, and so cannot tell what
// a load from before them has missed.
var blindStores = map[string]func(t *testing.T) *strategies.Store{
	"reads fail": func(t *testing.T) *strategies.Store {
		down := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") })
		return storeOn(t, newClient(t, newServer(t), func(c *client.Config) {
			c.HTTPClient, c.MaxRetries = &http.Client{Transport: down}, -1
		}), func(c *strategies.StoreConfig) { c.Breaker.Failures = breaker.Off })
	},
	"breaker open": func(t *testing.T) *strategies.Store {
		s := storeOver(t, newServer(t), sick["refuses"], func(c *strategies.StoreConfig) {
			c.Breaker = breaker.Config{Failures: 1, Open: time.Hour}
		})
		_, err := strategies.New[int](s, strategies.Config{Name: "opens", TTL: time.Hour}).
			Get(t.Context(), "k", func(context.Context, string) (int, error) { return 0, nil })
		require.NoError(t, err)
		require.Equal(t, breaker.Open, s.Stats().Breaker)
		return s
	},
	"no Redis": func(t *testing.T) *strategies.Store { return storeOn(t, nil) },
	"switched off": func(t *testing.T) *strategies.Store {
		return newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.Disabled = true })
	},
}

// askers ask for one key of a database that takes its time.
func askers(c *strategies.Cache[item], read func() item) map[string]func(ctx context.Context) (item, error) {
	return map[string]func(ctx context.Context) (item, error){
		"Get": func(ctx context.Context) (item, error) {
			return c.Get(ctx, "k", func(context.Context, string) (item, error) { return read(), nil })
		},
		"GetMany": func(ctx context.Context) (item, error) {
			m, err := c.GetMany(ctx, []string{"k", "l"}, func(context.Context, []string) (map[string]item, error) {
				v := read()
				return map[string]item{"k": v, "l": v}, nil
			})
			return m["k"], err
		},
	}
}

func eachBlind(t *testing.T, test func(t *testing.T, ask func(context.Context) (item, error), db *slowSource)) {
	for how, store := range blindStores {
		for _, call := range []string{"Get", "GetMany"} {
			t.Run(how+" "+call, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := strategies.New[item](store(t), strategies.Config{Name: "item", TTL: time.Hour})
					var db slowSource
					test(t, askers(c, db.read)[call], &db)
				})
			})
		}
	}
}

// slowSource answers with what it held when it was asked.
type slowSource struct{ reads, value, delay atomic.Int64 }

func (s *slowSource) read() item {
	s.reads.Add(1)
	v := item{N: int(s.value.Load())}
	time.Sleep(time.Duration(s.delay.Load()))
	return v
}

// Another process changed the database and its invalidation returned: whoever
// asks from then on must not share a load from before, snapshot or not.
func TestWithoutASnapshotNobodySharesAnOlderLoad(t *testing.T) {
	eachBlind(t, func(t *testing.T, ask func(context.Context) (item, error), db *slowSource) {
		db.delay.Store(int64(500 * time.Millisecond))
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = ask(t.Context()) })
		time.Sleep(100 * time.Millisecond)
		db.value.Store(1) // changed and invalidated elsewhere
		var second, third item
		wg.Go(func() { second, _ = ask(t.Context()) })
		time.Sleep(100 * time.Millisecond)
		wg.Go(func() { third, _ = ask(t.Context()) })
		wg.Wait()
		assert.Equal(t, []int{1, 1}, []int{second.N, third.N})
		assert.EqualValues(t, 2, db.reads.Load(), "those who waited shared one load")
	})
}

// A stampede without Redis is two loads, as one with it would be.
func TestAStampedeWithoutASnapshotIsTwoLoads(t *testing.T) {
	eachBlind(t, func(t *testing.T, ask func(context.Context) (item, error), db *slowSource) {
		db.delay.Store(int64(800 * time.Millisecond))
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				_, err := ask(t.Context())
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 2, db.reads.Load())
	})
}

// An older load is waited for no longer than the budget, nor than the share of
// a caller with a deadline; those who gave up waiting share what they load.
func TestAnOlderLoadIsNotWaitedForLong(t *testing.T) {
	eachBlind(t, func(t *testing.T, ask func(context.Context) (item, error), db *slowSource) {
		db.delay.Store(int64(20 * time.Second))
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = ask(t.Context()) })
		time.Sleep(100 * time.Millisecond)
		db.delay.Store(int64(50 * time.Millisecond))
		began := time.Now()
		for i := range 10 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*300*time.Millisecond)
				defer cancel()
				_, err := ask(ctx)
				assert.NoError(t, err)
				assert.Less(t, time.Since(began), strategies.DefaultBudget)
			})
		}
		time.Sleep(3 * time.Second)
		assert.EqualValues(t, 2, db.reads.Load())
		wg.Wait()
	})
}

// Who waits leaves on its own context.
func TestWaitingForAnOlderLoadEndsWithTheCaller(t *testing.T) {
	eachBlind(t, func(t *testing.T, ask func(context.Context) (item, error), db *slowSource) {
		db.delay.Store(int64(time.Second))
		go func() { _, _ = ask(t.Context()) }()
		time.Sleep(10 * time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		began := time.Now()
		_, err := ask(ctx)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 50*time.Millisecond, time.Since(began))
	})
}

// A load that waits for its place among MaxLoads has not begun: nobody has to
// wait for its end to share it.
func TestALoadThatHasNotBegunIsNewEnoughForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storeOn(t, nil, func(c *strategies.StoreConfig) { c.MaxLoads = 1 })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		src.delay.Store(int64(300 * time.Millisecond))
		var wg sync.WaitGroup
		for i := range 5 {
			key := fmt.Sprint("k", min(i, 1))
			wg.Go(func() { get(t, c, key, &src) })
			time.Sleep(20 * time.Millisecond)
		}
		wg.Wait()
		assert.EqualValues(t, 2, src.reads.Load())
	})
}
