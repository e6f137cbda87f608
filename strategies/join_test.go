package strategies_test

import (
	"context"
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
)

// Who may share a load that turns out to depend on a tag nobody knew of.
func TestJoinersOfALoadWithALateTagThatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store, other := newStore(t, srv), newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var version, loads atomic.Int64
		ask := func() item {
			v, err := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
				loads.Add(1)
				v := item{N: int(version.Load())}
				time.Sleep(time.Second)
				l.AddTags("late")
				return v, nil
			})
			assert.NoError(t, err)
			return v
		}
		var first, second item
		var wg sync.WaitGroup
		wg.Go(func() { first = ask() })
		time.Sleep(500 * time.Millisecond)
		version.Store(1)
		_, err := other.Invalidate(t.Context(), invalidate.Tags("late"))
		require.NoError(t, err)
		wg.Go(func() { second = ask() })
		wg.Wait()
		assert.Equal(t, 0, first.N, "its read began before the invalidation")
		assert.Equal(t, 1, second.N, "its read began after it")
		assert.EqualValues(t, 2, loads.Load())
	})
}

// A read that was sent before the store and answered after it still finds
// nothing: its caller takes the value of the load that has just finished.
func TestReadsThatWereUnderWayDuringTheStoreShareTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		var reads atomic.Int64
		slow := transport(func(r *http.Request) (*http.Response, error) {
			body := peek(r)
			resp, err := srv.HTTPClient().Transport.RoundTrip(r)
			if strings.Contains(body, "MGET") {
				if reads.Add(1) == 2 {
					time.Sleep(900 * time.Millisecond) // executed, and slow to come back
				}
			}
			return resp, err
		})
		c := strategies.New[item](storeOn(t, newClient(t, srv, func(c *client.Config) { c.HTTPClient = &http.Client{Transport: slow} })),
			strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		src.delay.Store(int64(500 * time.Millisecond))
		var wg sync.WaitGroup
		wg.Go(func() { get(t, c, "k", &src) })
		wg.Go(func() {
			time.Sleep(100 * time.Millisecond)
			_, st := get(t, c, "k", &src)
			assert.True(t, st.Collapsed)
		})
		wg.Wait()
		assert.EqualValues(t, 1, src.reads.Load())
	})
}

// The tokens of a snapshot are remembered for a limited time only.
func TestNothingIsStoredLongAfterItsSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour,
			Advanced: strategies.Advanced{HardTimeout: 2 * time.Second}})
		var src source
		src.delay.Store(int64(1800 * time.Millisecond))
		remove := srv.Intercept(delayed(300 * time.Millisecond))
		_, st := get(t, c, "k", &src)
		remove()
		assert.False(t, st.Stored, "2.1 s after the snapshot was asked for")
		_, st = get(t, c, "k", &src)
		assert.True(t, st.Stored)
	})
}
