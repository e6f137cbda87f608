package warm_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
)

// loads counts how often each key was loaded.
type loads struct {
	mu sync.Mutex
	of map[string]int
}

func (l *loads) load(ctx context.Context, keys []string) (map[string]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		l.of[k]++
	}
	return double(ctx, keys)
}

// TestAPlanThatWasKilled: a runner dies at ten random points, and from then on
// says nothing to Redis, not even that it gives its lease back. The next one
// warms every key, and none is loaded more than twice by both.
func TestAPlanThatWasKilled(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	keys := names(5000)
	for range 10 {
		srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		all := &loads{of: map[string]int{}}
		at := 1 + rnd.IntN(20) // the whole plan takes 22 round trips
		ctx, die := context.WithCancel(t.Context())
		trips := atomic.Int64{}
		remove := srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if int(trips.Add(1)) > at {
				die()
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
		_, err := runAsNew(ctx, t, srv, keys, all)
		require.Error(t, err)
		remove()
		rep, err := runAsNew(t.Context(), t, srv, keys, all)
		require.NoError(t, err, "killed after %d round trips", at)
		assert.Equal(t, len(keys), rep.Warmed+rep.Fresh, "killed after %d round trips", at)
		require.Len(t, all.of, len(keys))
		for key, n := range all.of {
			require.LessOrEqual(t, n, 2, "%s, killed after %d round trips", key, at)
		}
		assert.Len(t, entries(t, srv), len(keys))
		rep, err = runAsNew(t.Context(), t, srv, keys, all)
		require.NoError(t, err)
		assert.Equal(t, len(keys), rep.Fresh)
	}
}

// runAsNew runs the plan as a process of its own would.
func runAsNew(ctx context.Context, t *testing.T, srv *upstashtest.Server, keys []string, all *loads) (warm.Report, error) {
	t.Helper()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Namespace: "test", Budget: time.Minute})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close(context.WithoutCancel(ctx))) }()
	plan := warm.Plan{Steps: []warm.Step{warm.Keys("users", userCache(store), keys, all.load)}}
	return plan.Run(ctx, store, warm.Options{Force: true})
}

// entries are the keys of Redis that hold a user.
func entries(t *testing.T, srv *upstashtest.Server) []string {
	t.Helper()
	found, err := srv.Do("KEYS", "*user-*")
	require.NoError(t, err)
	var keys []string
	for _, r := range found.Array {
		keys = append(keys, string(r.Bytes))
	}
	return keys
}
