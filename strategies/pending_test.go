package strategies_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

func tagNames(n int) []string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprint("t", i)
	}
	return tags
}

// The tokens of an invalidation go with its own request, not with every request
// that happens meanwhile.
func TestAnInvalidationIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		for i := range 20 {
			get(t, c, fmt.Sprint("k", i), &src)
		}
		defer srv.Intercept(delayed(50 * time.Millisecond))()
		check := srv.ExpectBill(t, 20+1, 21)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := store.Invalidate(t.Context(), invalidate.Tags(tagNames(10)...))
			assert.NoError(t, err)
		})
		for i := range 20 {
			wg.Go(func() {
				time.Sleep(time.Duration(i+1) * time.Millisecond)
				_, st := get(t, c, fmt.Sprint("k", i), &src)
				assert.Equal(t, strategies.Hit, st.State)
			})
		}
		wg.Wait()
		check()
	})
}

// tokensIn counts the values that a request sets.
func tokensIn(body string) (n int) {
	n = strings.Count(body, `"SET"`)
	for _, rest := range strings.Split(body, `["MSETEX","`)[1:] {
		count, _, _ := strings.Cut(rest, `"`)
		joined, _ := strconv.Atoi(count)
		n += joined
	}
	return n
}

// full is a Redis that takes no writes.
func full(srv *upstashtest.Server) (heal func(), sets func() int) {
	var mu sync.Mutex
	n := 0
	heal = srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body := peek(r)
		count := tokensIn(body)
		if count == 0 {
			next.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		n += count
		mu.Unlock()
		no := `{"error":"OOM command not allowed when used memory > 'maxmemory'."}`
		if strings.HasPrefix(body, "[[") {
			no = "[" + strings.TrimSuffix(strings.Repeat(no+",", strings.Count(body, "[")-1), ",") + "]"
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(no))
	})
	return heal, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// A Redis that refuses writes is tried again after a pause and with one token,
// not with all of them before every command.
func TestPendingTokensAreNotSentWithEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		get(t, c, "k", &src)
		heal, sets := full(srv)
		_, err := store.Invalidate(t.Context(), invalidate.Tags(tagNames(301)...))
		require.ErrorIs(t, err, strategies.ErrPending)
		assert.Equal(t, 301, sets(), "once")
		for range 100 {
			get(t, c, "k", &src)
			time.Sleep(10 * time.Millisecond)
		}
		assert.Less(t, sets(), 301+10)
		heal()
		time.Sleep(11 * time.Second)
		get(t, c, "k", &src)
		get(t, c, "k", &src)
		assert.Zero(t, store.Stats().Pending)
	})
}

// A process never serves what it knows to be invalidated, whether Redis has
// heard of it or not.
func TestWhatIsPendingIsInvalidInItsProcess(t *testing.T) {
	targets := map[string]func(c *strategies.Cache[item]) invalidate.Target{
		"key":    func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Key(c, "a:b") },
		"tag":    func(*strategies.Cache[item]) invalidate.Target { return invalidate.Tags("tag") },
		"late":   func(*strategies.Cache[item]) invalidate.Target { return invalidate.Tags("late") },
		"prefix": func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Prefix(c, "a") },
		"handle": func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Prefix(c) },
		"all":    func(*strategies.Cache[item]) invalidate.Target { return invalidate.All() },
	}
	for name, target := range targets {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, batch %t", name, many), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(t)
					store := newStore(t, srv)
					cfg := strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"tag"}}
					var src source
					get(t, strategies.New[item](newStore(t, srv), cfg), "a:b", &src, strategies.Tags("late"))
					c := strategies.New[item](store, cfg)
					ask := func() strategies.Status {
						var st strategies.Status
						var err error
						if many {
							_, err = c.GetMany(t.Context(), []string{"a:b"}, src.loadMany, strategies.Report(&st))
						} else {
							_, err = c.Get(t.Context(), "a:b", src.load, strategies.Report(&st))
						}
						require.NoError(t, err)
						return st
					}
					require.Equal(t, strategies.Hit, ask().State)
					heal, _ := full(srv)
					_, err := store.Invalidate(t.Context(), target(c))
					require.ErrorIs(t, err, strategies.ErrPending)
					for range 3 {
						st := ask()
						assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
						time.Sleep(time.Millisecond)
					}
					heal()
					require.NoError(t, store.Flush(t.Context()))
					ask()
					assert.Equal(t, strategies.Hit, ask().State)
				})
			})
		}
	}
}

// A soft invalidation that is pending makes what it targets stale, no more.
func TestASoftPendingInvalidationMakesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Soft = true })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, StaleWhileRevalidate: time.Hour})
		var src source
		get(t, c, "k", &src)
		heal, _ := full(srv)
		defer heal()
		_, err := store.Invalidate(t.Context(), invalidate.Soft(invalidate.Key(c, "k")))
		require.ErrorIs(t, err, strategies.ErrPending)
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Stale, st.State)
	})
}

// The reader names no tag: the entry does, and its token in Redis is still the
// old one.
func TestWhatIsPendingHitsByTagsThatOnlyTheEntryNames(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	tagged := func(_ context.Context, l *strategies.Load[item]) (item, error) {
		l.AddTags("t")
		return item{N: 1}, nil
	}
	var st strategies.Status
	_, err := c.Fetch(t.Context(), "k", tagged, strategies.Report(&st))
	require.NoError(t, err)
	require.NoError(t, store.Flush(t.Context()))
	_, err = c.Fetch(t.Context(), "k", tagged, strategies.Report(&st))
	require.NoError(t, err)
	require.Equal(t, strategies.Hit, st.State)
	other := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour}) // which has heard of no tag
	heal, _ := full(srv)
	defer heal()
	_, err = store.Invalidate(t.Context(), invalidate.Tags("t"))
	require.ErrorIs(t, err, strategies.ErrPending)
	_, err = other.Fetch(t.Context(), "k", tagged, strategies.Report(&st))
	require.NoError(t, err)
	assert.Equal(t, strategies.Miss, st.State)
	assert.Equal(t, "invalidated", st.Reason)
}

// A token for which Redis has no room is not replaced: what depends on it is
// invalid here until Redis takes it, and then everywhere.
func TestWhatRedisRefusesStaysPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		get(t, c, "k", &src)
		heal, _ := full(srv)
		_, err := store.Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.ErrorIs(t, err, strategies.ErrPending)
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State, "in this process it is invalid")
		heal()
		time.Sleep(time.Minute)
		require.NoError(t, store.Flush(t.Context()))
		fresh := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		_, st = get(t, fresh, "k", &src)
		assert.Equal(t, strategies.Miss, st.State, "and now everywhere")
		assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
	})
}

// What is tried twice fails twice for one cause, and the log says it once.
func TestPendingTheLogNamesACauseOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		srv := newServer(t)
		defer srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusServiceUnavailable)
		})()
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		for i := range 10 { // it opens the breaker
			get(t, c, fmt.Sprint("k", i), &src)
		}
		log.Reset()
		_, err := store.Invalidate(t.Context(), invalidate.Tags("a"))
		require.ErrorIs(t, err, strategies.ErrPending)
		assert.Equal(t, 1, strings.Count(log.String(), "breaker: open"), log.String())
	})
}
