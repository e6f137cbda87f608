package strategies_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/strategies"
)

// dripping is a body of which a byte comes now and then.
type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-time.After(40 * time.Millisecond):
		p[0] = ' '
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d dripping) Close() error { return nil }

// sick are the ways in which a Redis does not answer.
var sick = map[string]roundTrip{
	"hangs": func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	},
	"refuses": func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	},
	"drips": func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: dripping{r.Context()}, Request: r, ContentLength: -1}, nil
	},
}

var deadlines = []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, 900 * time.Millisecond, 2 * time.Second}

// Whatever Redis does, a caller whose loader fits into its deadline gets its
// value, and the breaker opens.
func TestDeadlinesAreTheLoadersNotTheCaches(t *testing.T) {
	loader := 30 * time.Millisecond
	load := func(ctx context.Context, key string) (item, error) {
		select {
		case <-time.After(loader):
			return item{ID: key}, nil
		case <-ctx.Done():
			return item{}, ctx.Err()
		}
	}
	many := func(ctx context.Context, keys []string) (map[string]item, error) {
		v, err := load(ctx, keys[0])
		return map[string]item{keys[0]: v}, err
	}
	calls := map[string]func(context.Context, *strategies.Cache[item], string) error{
		"Get": func(ctx context.Context, c *strategies.Cache[item], key string) error {
			v, err := c.Get(ctx, key, load)
			if err == nil && v.ID != key {
				return fmt.Errorf("got %q for %q", v.ID, key)
			}
			return err
		},
		"GetMany": func(ctx context.Context, c *strategies.Cache[item], key string) error {
			v, err := c.GetMany(ctx, []string{key}, many)
			if err == nil && v[key].ID != key {
				return fmt.Errorf("got %v for %q", v, key)
			}
			return err
		},
	}
	for how, rt := range sick {
		for name, call := range calls {
			t.Run(how+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := storeOver(t, newServer(t), rt)
					c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
					var wg sync.WaitGroup
					for i := range 200 {
						d := deadlines[i%len(deadlines)]
						wg.Go(func() {
							time.Sleep(time.Duration(i) * 20 * time.Millisecond)
							ctx, cancel := context.WithTimeout(t.Context(), d)
							defer cancel()
							assert.NoError(t, call(ctx, c, fmt.Sprint("k", i%7)), "deadline %s", d)
						})
					}
					wg.Wait()
					assert.Equal(t, breaker.Open, store.Stats().Breaker)
				})
			})
		}
	}
}

// A Redis that answers reads and hangs on writes costs no caller its value
// either: nobody waits for the store longer than its share.
func TestAStoreThatHangsIsNotWaitedFor(t *testing.T) {
	pool := func() strategies.Executor { return strategies.Pool(16) }
	inline := func() strategies.Executor { return strategies.Inline(strategies.DefaultInline) }
	for i, d := range append(deadlines, deadlines...) {
		exec := pool
		if i >= len(deadlines) {
			exec = inline
		}
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t)
			inner := srv.HTTPClient().Transport
			store := storeOver(t, srv, func(r *http.Request) (*http.Response, error) {
				if body := peek(r); len(body) > 5 && (body[:5] == `["SET` || body[:6] == `[["SET`) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				return inner.RoundTrip(r)
			}, func(c *strategies.StoreConfig) { c.Executor = exec() })
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
			var src source
			src.delay.Store(int64(30 * time.Millisecond))
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			began := time.Now()
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					v, err := c.Get(ctx, "k", src.load)
					assert.NoError(t, err, "deadline %s", d)
					assert.Equal(t, "k", v.ID)
				})
			}
			wg.Wait()
			_, err := c.GetMany(ctx, []string{"l"}, src.loadMany)
			assert.NoError(t, err, "deadline %s", d)
			assert.Less(t, time.Since(began), d)
		})
	}
}

// Running out of a small share says nothing about Redis.
func TestABudgetBelow100msIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storeOver(t, newServer(t), sick["hangs"])
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
		var src source
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
			_, err := c.Get(ctx, "k", src.load)
			require.NoError(t, err)
			cancel()
		}
		assert.Equal(t, breaker.Closed, store.Stats().Breaker)
		for range breaker.DefaultFailures {
			ctx, cancel := context.WithTimeout(t.Context(), 301*time.Millisecond)
			_, err := c.Get(ctx, "k", src.load)
			require.NoError(t, err)
			cancel()
		}
		assert.Equal(t, breaker.Open, store.Stats().Breaker)
	})
}

// submitted runs every piece of work in the goroutine that submits it.
type submitted struct{ n atomic.Int64 }

func (s *submitted) Submit(work func()) bool { s.n.Add(1); work(); return true }
func (*submitted) Wait() time.Duration       { return time.Second }
func (*submitted) Flush(context.Context) error {
	return nil
}

// refusing takes no work.
type refusing struct{}

func (refusing) Submit(func()) bool          { return false }
func (refusing) Wait() time.Duration         { return 0 }
func (refusing) Flush(context.Context) error { return nil }

// With -race this holds the calls together with every executor.
func TestExecutorsShareNothingWithTheirCallers(t *testing.T) {
	for name, exec := range map[string]strategies.Executor{
		"pool": strategies.Pool(2), "inline": strategies.Inline(time.Second), "inline 0": strategies.Inline(0),
		"in the caller": &submitted{}, "refusing": refusing{},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.Executor = exec })
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Millisecond, StaleWhileRevalidate: time.Hour})
			var src source
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					for n := range 10 {
						keys := []string{fmt.Sprint("k", (i+n)%5), fmt.Sprint("k", n%5), "x"}
						got, err := c.GetMany(t.Context(), keys, src.loadMany)
						assert.NoError(t, err)
						assert.NotEmpty(t, got)
						get(t, c, keys[0], &src)
						time.Sleep(time.Millisecond)
					}
				})
			}
			wg.Wait()
			require.NoError(t, store.Flush(t.Context()))
		})
	}
}
