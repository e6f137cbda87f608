package strategies_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

const trip = 50 * time.Millisecond

// An executor that does not do what it was asked for.
type failing struct{ submit func() bool }

func (f failing) Submit(func()) bool          { return f.submit() }
func (f failing) Wait() time.Duration         { return 0 }
func (f failing) Flush(context.Context) error { return nil }

// A miss waits for one round trip where its value can be stored behind the answer,
// and for two where it cannot.
func TestWhatAnAnswerWaitsFor(t *testing.T) {
	for name, tt := range map[string]struct {
		exec       strategies.Executor
		miss, many time.Duration
	}{
		"pool":                   {strategies.Pool(16), trip, trip},
		"inline":                 {strategies.Inline(strategies.DefaultInline), 2 * trip, 2 * trip},
		"executor that refuses":  {failing{func() bool { return false }}, 2 * trip, 2 * trip},
		"executor that panics":   {failing{func() bool { panic("full") }}, 2 * trip, 2 * trip},
		"executor that drops it": {failing{func() bool { return true }}, trip, trip},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Executor = tt.exec })
				c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
				defer srv.Intercept(delayed(trip))()
				var src source
				took := func(f func()) time.Duration {
					began := time.Now()
					f()
					return time.Since(began)
				}
				var st strategies.Status
				assert.Equal(t, tt.miss, took(func() { _, st = get(t, c, "k", &src) }), "miss")
				assert.NotEqual(t, st.Stored, st.Storing)
				assert.Equal(t, tt.miss == trip, st.Storing)
				assert.Equal(t, time.Hour, st.TTL)
				assert.Equal(t, tt.many, took(func() {
					_, err := c.GetMany(t.Context(), names(3), src.loadMany)
					require.NoError(t, err)
				}), "batch")
				time.Sleep(strategies.DefaultHardTimeout)
				synctest.Wait()
				assert.Equal(t, trip, took(func() { _, st = get(t, c, "k", &src) }), "hit")
				if name != "executor that drops it" {
					assert.Equal(t, strategies.Hit, st.State)
					return
				}
				assert.Equal(t, []any{strategies.Miss, false}, []any{st.State, st.Collapsed}, "a load whose store was dropped is over in the end")
			})
		})
	}
}

// held lets all requests through but those that set an entry, until open.
func held(t *testing.T, s interface {
	Intercept(func(http.ResponseWriter, *http.Request, http.Handler)) func()
}) (open func()) {
	gate := make(chan struct{})
	stop := s.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if body := peek(r); strings.Contains(body, "SET") && strings.Contains(body, ":e:") {
			<-gate
		}
		next.ServeHTTP(w, r)
	})
	open = sync.OnceFunc(func() { close(gate); stop() })
	t.Cleanup(open)
	return open
}

// What callers do with a value that they have does not change what is stored.
func TestAValueIsEncodedBeforeItIsHandedOut(t *testing.T) {
	for name, tags := range map[string][]string{"": nil, "with late tags": {"late"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				store := newStore(t, srv, pooled)
				c := strategies.New[[]string](store, strategies.Config{Name: "list", TTL: time.Hour})
				load := func(_ context.Context, l *strategies.Load[[]string]) ([]string, error) {
					l.AddTags(tags...)
					return []string{"as", "loaded"}, nil
				}
				open := held(t, srv)
				v, err := c.Fetch(t.Context(), "k", load)
				require.NoError(t, err)
				v[0] = "changed"
				open()
				require.NoError(t, store.Flush(t.Context()))
				v, err = c.Fetch(t.Context(), "k", load)
				require.NoError(t, err)
				assert.Equal(t, []string{"as", "loaded"}, v)
			})
		})
	}
}

// Until it is stored a value is its load's: who reads meanwhile shares that, unless
// an invalidation came between.
func TestWhoReadsBeforeTheStoreSharesTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, pooled)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		open := held(t, srv)
		get(t, c, "k", &src)
		for range 3 {
			_, st := get(t, c, "k", &src)
			assert.Equal(t, []any{strategies.Miss, true, true}, []any{st.State, st.Collapsed, st.Storing})
		}
		assert.EqualValues(t, 1, src.reads.Load())

		src.value.Store(1)
		_, err := store.Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.NoError(t, err)
		v, _ := get(t, c, "k", &src)
		assert.Equal(t, 1, v.N, "the load was begun before the invalidation")
		open()
		require.NoError(t, store.Flush(t.Context()))
		v, _ = get(t, c, "k", &src)
		assert.Equal(t, 1, v.N)
	})
}

// Flush, Close, warming and patterns see what is being stored.
func TestWhoWaitsForStores(t *testing.T) {
	for name, wait := range map[string]func(*strategies.Store, *strategies.Cache[item]) error{
		"Flush": func(s *strategies.Store, _ *strategies.Cache[item]) error { return s.Flush(bg) },
		"Close": func(s *strategies.Store, _ *strategies.Cache[item]) error { return s.Close(bg) },
		"Warm": func(_ *strategies.Store, c *strategies.Cache[item]) error {
			r, err := c.Warm(bg, []string{"k"}, (&source{}).loadMany)
			if r.Fresh != 1 {
				return errSource
			}
			return err
		},
		"Pattern": func(s *strategies.Store, c *strategies.Cache[item]) error {
			r, err := s.Invalidate(bg, invalidate.Pattern(c, invalidate.Any))
			if r.Keys != 1 {
				return errSource
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				store := newStore(t, srv, pooled)
				c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
				open := held(t, srv)
				time.AfterFunc(trip, open)
				var src source
				_, st := get(t, c, "k", &src)
				require.True(t, st.Storing)
				began := time.Now()
				require.NoError(t, wait(store, c))
				assert.Equal(t, trip, time.Since(began))
			})
		})
	}
}

// scattered is an executor that does not know when its work is done.
type scattered struct{}

func (scattered) Submit(work func()) bool     { go work(); return true }
func (scattered) Wait() time.Duration         { return 0 }
func (scattered) Flush(context.Context) error { return nil }

func TestFlushWaitsForStoresOfAnyExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.Executor = scattered{} })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		defer srv.Intercept(delayed(trip))()
		var src source
		_, st := get(t, c, "k", &src)
		require.True(t, st.Storing)
		require.NoError(t, store.Flush(t.Context()))
		_, st = get(t, c, "k", &src)
		assert.Equal(t, strategies.Hit, st.State)
	})
}
