package strategies_test

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// apart runs f in a goroutine that f may end, and waits for its end.
func apart(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

// within fails the test if f takes longer than a second of the bubble's time.
func within(t *testing.T, f func()) {
	t.Helper()
	began := time.Now()
	f()
	assert.Less(t, time.Since(began), time.Second)
}

// A loader that ends its goroutine, as t.FailNow does, is a PanicError for all
// who wait, at once, and whoever comes later loads again.
func TestGoexitInALoaderHangsNobody(t *testing.T) {
	type calls struct {
		exit func(context.Context, *strategies.Cache[item]) error
		well func(context.Context, *strategies.Cache[item]) error
	}
	load := func(ctx context.Context, key string) (item, error) { return item{ID: key}, nil }
	loadMany := func(ctx context.Context, keys []string) (map[string]item, error) {
		return map[string]item{"k": {ID: "k"}}, nil
	}
	exit := func() { time.Sleep(10 * time.Millisecond); runtime.Goexit() }
	tests := map[string]calls{
		"Get": {
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := c.Get(ctx, "k", func(context.Context, string) (item, error) { exit(); return item{}, nil })
				return err
			},
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := c.Get(ctx, "k", load)
				return err
			},
		},
		"Fetch": {
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := c.Fetch(ctx, "k", func(context.Context, *strategies.Load[item]) (item, error) { exit(); return item{}, nil })
				return err
			},
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := c.Get(ctx, "k", load)
				return err
			},
		},
		"GetMany": {
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := c.GetMany(ctx, []string{"k", "l"}, func(context.Context, []string) (map[string]item, error) { exit(); return nil, nil })
				return err
			},
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := c.GetMany(ctx, []string{"k", "l"}, loadMany)
				return err
			},
		},
		"Memoize": {
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := strategies.Memoize(c, func(context.Context, string) (item, error) { exit(); return item{}, nil })(ctx, "k")
				return err
			},
			func(ctx context.Context, c *strategies.Cache[item]) error {
				_, err := strategies.Memoize(c, load)(ctx, "k")
				return err
			},
		},
	}
	for name, call := range tests {
		for _, maxLoads := range []int{0, 1} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.MaxLoads = maxLoads })
					c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
					within(t, func() {
						var wg sync.WaitGroup
						for range 3 {
							wg.Go(func() {
								var p *strategies.PanicError
								assert.ErrorAs(t, call.exit(t.Context(), c), &p)
							})
						}
						wg.Wait()
					})
					within(t, func() { assert.NoError(t, call.well(t.Context(), c)) })
				})
			})
		}
	}
}

func TestGoexitInAWarmUpHangsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := strategies.New[item](newStore(t, newServer(t)), strategies.Config{Name: "item", TTL: time.Minute})
		within(t, func() {
			r, _ := c.Warm(t.Context(), []string{"k"}, func(context.Context, []string) (map[string]item, error) { runtime.Goexit(); return nil, nil })
			var p *strategies.PanicError
			assert.ErrorAs(t, r.Errors["k"], &p)
		})
	})
}

func TestGoexitInARefreshLeavesTheRestAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t))
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Hour})
		var src source
		get(t, c, "k", &src)
		time.Sleep(61 * time.Second)
		_, err := c.Get(t.Context(), "k", func(context.Context, string) (item, error) { runtime.Goexit(); return item{}, nil })
		require.NoError(t, err, "the stale value answers")
		within(t, func() { require.NoError(t, store.Flush(t.Context())) })
		assert.EqualValues(t, 1, store.Stats().RefreshesFailed)
	})
}

// A save that ends its goroutine may have been committed: the key is
// invalidated.
func TestGoexitInASaveInvalidates(t *testing.T) {
	for name, write := range map[string]func(context.Context, *strategies.Cache[item]){
		"WriteThrough": func(ctx context.Context, c *strategies.Cache[item]) {
			_ = c.WriteThrough(ctx, "k", item{}, func(_ context.Context, v item) (item, error) { runtime.Goexit(); return v, nil })
		},
		"Delete": func(ctx context.Context, c *strategies.Cache[item]) {
			_ = c.Delete(ctx, "k", func(context.Context) error { runtime.Goexit(); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t, newServer(t))
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
			var src source
			get(t, c, "k", &src)
			apart(func() { write(context.Background(), c) })
			_, st := get(t, c, "k", &src)
			assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
		})
	}
}

// moody is a value whose codec does what it is told to.
type moody struct{ Name string }

var encodes, decodes atomic.Pointer[func()]

func (m moody) MarshalJSON() ([]byte, error) {
	if f := encodes.Load(); f != nil {
		(*f)()
	}
	return json.Marshal(map[string]string{"Name": m.Name})
}

func (m *moody) UnmarshalJSON(data []byte) error {
	if f := decodes.Load(); f != nil {
		(*f)()
	}
	var v map[string]string
	err := json.Unmarshal(data, &v)
	m.Name = v["Name"]
	return err
}

func mood(t *testing.T, at *atomic.Pointer[func()], f func()) {
	t.Helper()
	at.Store(&f)
	t.Cleanup(func() { at.Store(nil) })
}

func loadMoody(_ context.Context, key string) (moody, error) { return moody{key}, nil }

func TestGoexitInACodecHangsNobody(t *testing.T) {
	t.Run("encode of a load", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			mood(t, &encodes, runtime.Goexit)
			c := strategies.New[moody](newStore(t, newServer(t)), strategies.Config{Name: "moody", TTL: time.Minute})
			within(t, func() {
				v, err := c.Get(t.Context(), "k", loadMoody)
				assert.NoError(t, err, "the value was loaded")
				assert.Equal(t, "k", v.Name)
			})
			within(t, func() {
				v, err := c.GetMany(t.Context(), []string{"k", "l"}, func(context.Context, []string) (map[string]moody, error) {
					return map[string]moody{"k": {"k"}, "l": {"l"}}, nil
				})
				assert.NoError(t, err)
				assert.Len(t, v, 2)
			})
		})
	})
	t.Run("encode behind a save", func(t *testing.T) {
		store := newStore(t, newServer(t))
		c := strategies.New[moody](store, strategies.Config{Name: "moody", TTL: time.Minute})
		_, err := c.Get(t.Context(), "k", loadMoody)
		require.NoError(t, err)
		mood(t, &encodes, runtime.Goexit)
		apart(func() {
			_ = c.WriteThrough(context.Background(), "k", moody{"new"}, func(_ context.Context, v moody) (moody, error) { return v, nil })
		})
		encodes.Store(nil)
		var st strategies.Status
		_, err = c.Get(t.Context(), "k", loadMoody, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, strategies.ReasonInvalidated, st.Reason, "the database was changed")
	})
	t.Run("decode", func(t *testing.T) {
		c := strategies.New[moody](newStore(t, newServer(t)), strategies.Config{Name: "moody", TTL: time.Minute})
		_, err := c.Get(t.Context(), "k", loadMoody)
		require.NoError(t, err)
		mood(t, &decodes, runtime.Goexit)
		apart(func() { _, _ = c.Get(context.Background(), "k", loadMoody) })
		decodes.Store(nil)
		v, err := c.Get(t.Context(), "k", loadMoody)
		require.NoError(t, err)
		assert.Equal(t, "k", v.Name)
	})
}

// What a codec does with bytes from Redis is never the caller's trouble.
func TestAPanicInDecodeIsAMiss(t *testing.T) {
	for _, lease := range []time.Duration{0, time.Second} {
		srv := newServer(t)
		store := newStore(t, srv)
		cfg := strategies.Config{Name: "moody", TTL: time.Minute, Advanced: strategies.Advanced{Lease: lease}}
		c := strategies.New[moody](store, cfg)
		_, err := c.Get(t.Context(), "k", loadMoody)
		require.NoError(t, err)
		mood(t, &decodes, func() { panic("moody") })
		var st strategies.Status
		v, err := c.Get(t.Context(), "k", loadMoody, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, "k", v.Name)
		assert.Equal(t, strategies.ReasonUndecodable, st.Reason)
		assert.EqualValues(t, 1, store.Stats().Errors)
		decodes.Store(nil)
	}
}

// Under a lease the entry that another instance stored is decoded in a
// goroutine of the engine's: a panic there must not end the process.
func TestAPanicInDecodeUnderALeaseIsALoad(t *testing.T) {
	srv := newServer(t)
	cfg := strategies.Config{Name: "moody", TTL: time.Minute, Advanced: strategies.Advanced{Lease: time.Second}}
	slow := strategies.New[moody](newStore(t, srv), cfg)
	other := strategies.New[moody](newStore(t, srv), cfg)
	mood(t, &decodes, func() { panic("moody") })
	loading := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := slow.Get(t.Context(), "k", func(ctx context.Context, key string) (moody, error) {
			close(loading)
			time.Sleep(50 * time.Millisecond)
			return moody{key}, nil
		})
		assert.NoError(t, err)
	})
	<-loading
	v, err := other.Get(t.Context(), "k", loadMoody)
	assert.NoError(t, err)
	assert.Equal(t, "k", v.Name)
	wg.Wait()
}

func TestAnEntryThatIsNoneIsAMiss(t *testing.T) {
	for _, header := range []string{"R2 1 1 1 1 1 - - =abc\n{}", "R2 0 0 a00000000 0 0  - \n", "R2 1 1 1 1 1 - - g=a,=\n", "R2 ", "\n", "R2 1 1 1 1 1 b gzip \n!", "R2 1 1 1 1 1 - other \n!", "R2 1 1 1 1 1 - UP \n!"} {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
		var src source
		get(t, c, "k", &src)
		keys, err := srv.Do("KEYS", "restash:e:item:*")
		require.NoError(t, err)
		require.Len(t, keys.Array, 1)
		_, err = srv.Do("SET", string(keys.Array[0].Bytes), header)
		require.NoError(t, err)
		v, st := get(t, c, "k", &src)
		assert.Equal(t, "k", v.ID)
		assert.Equal(t, strategies.ReasonUndecodable, st.Reason, "%q", header)
		assert.EqualValues(t, 1, store.Stats().Errors, "%q", header)
	}
}

// roundTrip is a client's way to Redis that the test decides about.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func storeOver(t testing.TB, srv *upstashtest.Server, rt roundTrip, change ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	return storeOn(t, newClient(t, srv, func(c *client.Config) { c.HTTPClient = &http.Client{Transport: rt} }), change...)
}

func TestAPanicInTheTransportIsNotTheCallers(t *testing.T) {
	store := storeOver(t, newServer(t), func(*http.Request) (*http.Response, error) { panic("transport") })
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			v, _ := get(t, c, "k", &src)
			assert.Equal(t, "k", v.ID)
		})
	}
	wg.Wait()
}
