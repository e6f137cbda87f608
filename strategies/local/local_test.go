package local_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/strategies/local"
	"github.com/cldcde/restash/upstashtest"
)

func Example() {
	l1, err := local.New(local.Config{MaxAge: 500 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	store, err := strategies.NewStore(nil, strategies.StoreConfig{Local: l1}) // nil: this example has no server
	if err != nil {
		panic(err)
	}
	greetings := strategies.New[string](store, strategies.Config{Name: "greeting", TTL: time.Minute})
	hello, err := greetings.Get(context.Background(), "ada", func(_ context.Context, name string) (string, error) {
		return "hello " + name, nil
	})
	fmt.Println(hello, err)
	// Output: hello ada <nil>
}

func setup(t testing.TB, srv *upstashtest.Server, strict bool) (*strategies.Store, *strategies.Cache[int], *local.Cache) {
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	l1, err := local.New(local.Config{})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Local: l1, Strict: strict, Executor: strategies.Inline(strategies.DefaultInline)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	return store, strategies.New[int](store, strategies.Config{Name: "n", TTL: time.Hour, Tags: []string{"all"}}), l1
}

func inMemory(c *upstashtest.Config) { c.InMemory = true }

func get(t testing.TB, c *strategies.Cache[int], value int, opts ...strategies.Option) (int, strategies.Status) {
	var st strategies.Status
	v, err := c.Get(t.Context(), "k", func(context.Context, string) (int, error) { return value, nil }, append(opts, strategies.Report(&st))...)
	require.NoError(t, err)
	return v, st
}

func TestLocalHitCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, inMemory)
		store, c, _ := setup(t, srv, false)
		get(t, c, 1)
		get(t, c, 1)
		check := srv.ExpectBill(t, 0, 0)
		_, st := get(t, c, 1)
		check()
		assert.Equal(t, strategies.Hit, st.State)
		assert.EqualValues(t, 1, store.Stats().LocalHits)
		time.Sleep(local.DefaultMaxAge + time.Millisecond)
		check = srv.ExpectBill(t, 1, 1)
		get(t, c, 1)
		check()
	})
}

func TestOwnInvalidationsReachItAtOnceOthersWithinMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, inMemory)
		store, c, _ := setup(t, srv, false)
		other, _, _ := setup(t, srv, false)
		for _, target := range []invalidate.Target{invalidate.Tags("all"), invalidate.Key(c, "k"), invalidate.Prefix(c), invalidate.All()} {
			get(t, c, 1)
			get(t, c, 1)
			_, err := store.Invalidate(t.Context(), target)
			require.NoError(t, err)
			v, _ := get(t, c, 2)
			assert.Equal(t, 2, v, target.String())
			require.NoError(t, c.Delete(t.Context(), "k", nil))
		}
		get(t, c, 1)
		get(t, c, 1)
		_, err := other.Invalidate(t.Context(), invalidate.All())
		require.NoError(t, err)
		v, _ := get(t, c, 2)
		assert.Equal(t, 1, v, "the documented weakness")
		time.Sleep(local.DefaultMaxAge + time.Millisecond)
		v, _ = get(t, c, 2)
		assert.Equal(t, 2, v)
	})
}

func TestWhatWasVoidedDuringItsReadIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, inMemory)
		store, c, _ := setup(t, srv, false)
		get(t, c, 1)
		time.Sleep(2 * local.DefaultMaxAge)
		held := make(chan struct{})
		hold := func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			<-held
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		}
		defer srv.Faults(1, upstashtest.Fault{Do: hold, Times: 1})()
		var wg sync.WaitGroup
		wg.Go(func() {
			v, _ := get(t, c, 2)
			assert.Equal(t, 1, v, "its read was answered before the invalidation")
		})
		synctest.Wait()
		_, err := store.Invalidate(t.Context(), invalidate.Tags("all"))
		require.NoError(t, err)
		close(held)
		wg.Wait()
		v, _ := get(t, c, 2)
		assert.Equal(t, 2, v, "what a late answer brings is not kept")
	})
}

func TestWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, inMemory)
		store, c := whileDown(t, srv)
		restore := seenThenDown(t, srv, c, 2*local.DefaultMaxAge)
		v, st := get(t, c, 2)
		assert.Equal(t, 1, v, "the process has seen it")
		assert.Equal(t, strategies.Stale, st.State)
		many, err := c.GetMany(t.Context(), []string{"k", "l"}, func(_ context.Context, keys []string) (map[string]int, error) {
			assert.Equal(t, []string{"l"}, keys)
			return map[string]int{"l": 3}, nil
		})
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"k": 1, "l": 3}, many)

		time.Sleep(10 * time.Second)
		v, _ = get(t, c, 2)
		assert.Equal(t, 2, v, "WhileDown is over")
		restore()
		require.NoError(t, store.Flush(t.Context()))
	})
}

func TestWhileDownEndsWithTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, inMemory)
		_, c := whileDown(t, srv)
		restore := seenThenDown(t, srv, c, 4*time.Second, strategies.TTL(3*time.Second))
		v, _ := get(t, c, 2)
		assert.Equal(t, 2, v)
		v, st := get(t, c, 2, strategies.StaleIfError(2*time.Second))
		assert.Equal(t, 1, v, "as long as a failing load would allow")
		assert.Negative(t, st.TTL)
		restore()
	})
}

func TestWhileDownOwnInvalidationsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, inMemory)
		store, c := whileDown(t, srv)
		restore := seenThenDown(t, srv, c, 2*local.DefaultMaxAge)
		_, err := store.Invalidate(t.Context(), invalidate.Tags("all"))
		require.ErrorIs(t, err, strategies.ErrPending)
		v, _ := get(t, c, 2)
		assert.Equal(t, 2, v)
		restore()
	})
}

// seenThenDown lets the process see the value 1, and Redis go away when that is
// age old: the breaker is open then.
func seenThenDown(t *testing.T, srv *upstashtest.Server, c *strategies.Cache[int], age time.Duration, opts ...strategies.Option) (restore func()) {
	for range 2 {
		get(t, c, 1, opts...)
	}
	time.Sleep(age)
	restore = srv.Faults(1, upstashtest.Fault{Do: upstashtest.Status(http.StatusBadGateway, "away")})
	for range breaker.DefaultFailures {
		v, st := get(t, c, 2)
		assert.Equal(t, 2, v, "the loader answers until the breaker is open")
		assert.NotEqual(t, strategies.Stale, st.State)
	}
	return restore
}

func whileDown(t *testing.T, srv *upstashtest.Server) (*strategies.Store, *strategies.Cache[int]) {
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient(), MaxRetries: client.NoRetry})
	require.NoError(t, err)
	l1, err := local.New(local.Config{WhileDown: 10 * time.Second})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Local: l1, Executor: strategies.Inline(strategies.DefaultInline), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	return store, strategies.New[int](store, strategies.Config{Name: "n", TTL: time.Hour, Tags: []string{"all"}})
}

func TestStrictStoresAndUnknownTagsBypassIt(t *testing.T) {
	srv := upstashtest.Run(t, inMemory)
	_, c, _ := setup(t, srv, true)
	for range 3 {
		get(t, c, 1)
	}
	check := srv.ExpectBill(t, 1, 1)
	get(t, c, 1)
	check()

	srv = upstashtest.Run(t, inMemory)
	_, c, _ = setup(t, srv, false)
	for range 3 {
		get(t, c, 1)
	}
	check = srv.ExpectBill(t, 1, 1)
	get(t, c, 1, strategies.Tags("other"))
	check()
}

func TestALateReadDoesNotBringBackWhatWasVoided(t *testing.T) {
	l1, err := local.New(local.Config{})
	require.NoError(t, err)
	key := strategies.LocalKey{Handle: "h", Key: "k"}
	v := strategies.LocalValue{Value: 1, Tokens: []string{"a", "b"}}
	stamp := l1.Stamp()
	l1.Void([]string{"b"})
	l1.Put(key, v, stamp)
	_, ok := l1.Get(key)
	assert.False(t, ok)
	stamp = l1.Stamp()
	l1.Put(key, v, stamp)
	_, ok = l1.Get(key)
	assert.True(t, ok)
	stamp = l1.Stamp()
	l1.Clear()
	l1.Put(key, v, stamp)
	_, ok = l1.Get(key)
	assert.False(t, ok, "read before the clearing")
	for i := range 20_000 { // more than it remembers
		l1.Void([]string{fmt.Sprint(i)})
	}
	l1.Put(key, v, stamp)
	_, ok = l1.Get(key)
	assert.False(t, ok)
}

func TestBounds(t *testing.T) {
	l1, err := local.New(local.Config{Entries: 2, ValueSize: 10})
	require.NoError(t, err)
	put := func(k string, size int) {
		l1.Put(strategies.LocalKey{Key: k}, strategies.LocalValue{Size: size}, l1.Stamp())
	}
	put("a", 1)
	put("b", 1)
	put("c", 1)
	put("d", 11)
	got := ""
	for _, k := range []string{"a", "b", "c", "d"} {
		if _, ok := l1.Get(strategies.LocalKey{Key: k}); ok {
			got += k
		}
	}
	assert.Equal(t, "bc", got)
	for field, cfg := range map[string]local.Config{"Entries": {Entries: -1}, "MaxAge": {MaxAge: -1}, "ValueSize": {ValueSize: -1}} {
		_, err := local.New(cfg)
		assert.ErrorContains(t, err, field)
	}
}

func TestLocalHitAllocatesAtMostOnce(t *testing.T) {
	srv := upstashtest.Run(t, inMemory)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	l1, err := local.New(local.Config{MaxAge: time.Hour})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Local: l1})
	require.NoError(t, err)
	users := strategies.New[int](store, strategies.Config{Name: "n", TTL: time.Hour})
	load := func(context.Context, string) (int, error) { return 7, nil }
	ctx := t.Context()
	for range 2 { // stored, then found valid and kept
		_, err := users.Get(ctx, "k", load)
		require.NoError(t, err)
		require.NoError(t, store.Flush(ctx))
	}
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := users.Get(ctx, "k", load); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, allocs, 1.0)
}

// Without Advanced.Copy hits share their value.
func TestCopyHitsHaveValuesOfTheirOwn(t *testing.T) {
	store, _, _ := setup(t, upstashtest.Run(t, inMemory), false)
	c := strategies.New[map[string]int](store, strategies.Config{Name: "basket", TTL: time.Hour, Advanced: strategies.Advanced{Copy: true}})
	load := func(context.Context, string) (map[string]int, error) { return map[string]int{"apples": 1}, nil }
	for range 5 {
		v, err := c.Get(t.Context(), "k", load)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"apples": 1}, v)
		v["apples"]++
	}
	assert.Equal(t, int64(3), store.Stats().LocalHits)
}
