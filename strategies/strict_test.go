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
	"github.com/cldcde/restash/upstashtest"
)

// In strict mode two absent tokens say nothing about each other: between them
// an invalidation may have come and been evicted. A load whose tokens could not
// be created so is joined by nobody who began after it.
func TestStrictLoadWithoutTokensIsNotJoinedAcrossAnEviction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		refusing := srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if creates(r) {
				upstashtest.Status(http.StatusInternalServerError, `{"error":"ERR busy"}`)(w, r, next, nil)
				return
			}
			next.ServeHTTP(w, r)
		})
		defer refusing()
		store := storeOn(t, newClient(t, srv, func(c *client.Config) { c.MaxRetries = client.NoRetry }), strict)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var version atomic.Int64
		load := func(context.Context, string) (item, error) {
			v := item{N: int(version.Load())}
			time.Sleep(time.Second)
			return v, nil
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.Get(t.Context(), "k", load)
			assert.NoError(t, err)
		})
		time.Sleep(500 * time.Millisecond) // its read found no token, its load is under way
		version.Store(1)
		_, err := newStore(t, srv, strict).Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.NoError(t, err)
		evictAll(t, srv)
		second, err := c.Get(t.Context(), "k", load)
		require.NoError(t, err)
		assert.Equal(t, 1, second.N, "its read began after the invalidation")
		wg.Wait()
	})
}

// creates reports whether a request creates absent tokens: SET with NX.
func creates(r *http.Request) bool {
	body := peek(r)
	return strings.Contains(body, `"NX"`) && strings.Contains(body, "SET")
}

func evictAll(t *testing.T, srv *upstashtest.Server) {
	t.Helper()
	_, err := srv.Do("FLUSHDB")
	require.NoError(t, err)
}

// Each key has tokens of its own. Where reads create them they must not fill the
// database for a week after entries that lived a second.
func TestStrictTokensDoNotOutliveTheirEntriesByMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv, strict), strategies.Config{Name: "item", TTL: time.Second})
		src := &source{}
		for n := range 200 {
			get(t, c, strategies.Key("user", n), src)
		}
		time.Sleep(2 * time.Hour)
		size, err := srv.Do("DBSIZE")
		require.NoError(t, err)
		assert.Less(t, size.Int, int64(10), "the tokens that all keys share")
	})
}

// A token that ends takes its entry along: that may cost a load now and then.
func TestStrictTokensOutliveManyEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv, strict), strategies.Config{Name: "item", TTL: 10 * time.Minute})
		src := &source{}
		for range 24 * 60 {
			get(t, c, "k", src)
			time.Sleep(time.Minute)
		}
		assert.LessOrEqual(t, src.reads.Load(), int64(24*6*11/10))
	})
}
