package strategies_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

// one asks for a key through Get or through GetMany.
type one func(ctx context.Context, c *strategies.Cache[item], key string, load strategies.Loader[item], opts ...strategies.Option) error

var ones = map[string]one{
	"Get": func(ctx context.Context, c *strategies.Cache[item], key string, load strategies.Loader[item], opts ...strategies.Option) error {
		_, err := c.Get(ctx, key, load, opts...)
		return err
	},
	"GetMany": func(ctx context.Context, c *strategies.Cache[item], key string, load strategies.Loader[item], opts ...strategies.Option) error {
		_, err := c.GetMany(ctx, []string{key}, func(ctx context.Context, keys []string) (map[string]item, error) {
			v, err := load(ctx, keys[0])
			if err != nil {
				return nil, err
			}
			return map[string]item{keys[0]: v}, nil
		}, opts...)
		return err
	},
}

// nesting runs a test over each way to ask and a Store with and without Redis.
func nesting(t *testing.T, change func(*strategies.StoreConfig), test func(t *testing.T, ask one, c *strategies.Cache[item])) {
	for name, ask := range ones {
		for _, redis := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, Redis %t", name, redis), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client := newClient(t, newServer(t))
					if !redis {
						client = nil
					}
					test(t, ask, strategies.New[item](storeOn(t, client, change), strategies.Config{Name: "item", TTL: time.Minute}))
				})
			})
		}
	}
}

func fourLoads(c *strategies.StoreConfig) { c.MaxLoads = 4 }

// A load within a load takes its parent's place: eight loads of which four may
// run all ask for another class, and none waits for a place that it holds itself.
func TestALoadWithinALoadNeedsNoPlaceOfItsOwn(t *testing.T) {
	nesting(t, fourLoads, func(t *testing.T, ask one, c *strategies.Cache[item]) {
		inner := strategies.New[item](c.Store(), strategies.Config{Name: "inner", TTL: time.Minute})
		third := strategies.New[item](c.Store(), strategies.Config{Name: "third", TTL: time.Minute})
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				assert.NoError(t, ask(t.Context(), c, fmt.Sprint(i), func(ctx context.Context, key string) (item, error) {
					time.Sleep(50 * time.Millisecond)
					return item{}, ask(ctx, inner, key, func(ctx context.Context, key string) (item, error) {
						return item{}, ask(ctx, third, "the same", func(context.Context, string) (item, error) { return item{}, nil })
					})
				}))
			})
		}
		wg.Wait()
		assert.Less(t, time.Since(began), time.Second)
	})
}

// A load that is queued starts when a running one joins it: that one would hold
// its place until then.
func TestAQueuedLoadThatARunningOneJoinsStartsAtOnce(t *testing.T) {
	nesting(t, func(c *strategies.StoreConfig) { c.MaxLoads = 1 }, func(t *testing.T, ask one, c *strategies.Cache[item]) {
		began := time.Now()
		var wg sync.WaitGroup
		quick := func(context.Context, string) (item, error) { return item{}, nil }
		wg.Go(func() {
			assert.NoError(t, ask(t.Context(), c, "first", func(ctx context.Context, _ string) (item, error) {
				time.Sleep(100 * time.Millisecond)
				return item{}, ask(ctx, c, "queued", quick)
			}))
		})
		time.Sleep(10 * time.Millisecond)
		wg.Go(func() { assert.NoError(t, ask(t.Context(), c, "queued", quick)) })
		wg.Wait()
		assert.Equal(t, 100*time.Millisecond, time.Since(began))
	})
}

// The bound still holds for loads that nobody's load waits for.
func TestMaxLoadsBoundsNestedLoads(t *testing.T) {
	nesting(t, fourLoads, func(t *testing.T, ask one, c *strategies.Cache[item]) {
		inner := strategies.New[item](c.Store(), strategies.Config{Name: "inner", TTL: time.Minute})
		var running, most atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				assert.NoError(t, ask(t.Context(), c, fmt.Sprint(i), func(ctx context.Context, key string) (item, error) {
					return item{}, ask(ctx, inner, key, func(context.Context, string) (item, error) {
						most.Store(max(most.Load(), running.Add(1)))
						time.Sleep(10 * time.Millisecond)
						running.Add(-1)
						return item{}, nil
					})
				}))
			})
		}
		wg.Wait()
		assert.EqualValues(t, 4, most.Load())
	})
}

// A loader that asks for what it loads would wait for itself.
func TestALoadThatAsksForItselfFailsAtOnce(t *testing.T) {
	for name, opts := range map[string][]strategies.Option{"shared": nil, "forced": {strategies.Force()}} {
		t.Run(name, func(t *testing.T) {
			nesting(t, fourLoads, func(t *testing.T, ask one, c *strategies.Cache[item]) {
				began := time.Now()
				var again strategies.Loader[item]
				again = func(ctx context.Context, key string) (item, error) {
					return item{}, ask(ctx, c, key, again, opts...)
				}
				err := ask(t.Context(), c, "k", again, opts...)
				require.ErrorIs(t, err, strategies.ErrCircle)
				assert.Contains(t, err.Error(), "item k → item k")
				assert.Zero(t, time.Since(began))
			})
		})
	}
}

// So would one that asks round a circle, within one call or between several.
func TestACircleOfLoadsFailsAtOnce(t *testing.T) {
	nesting(t, fourLoads, func(t *testing.T, ask one, c *strategies.Cache[item]) {
		next := map[string]string{"a": "b", "b": "c", "c": "a"}
		var load strategies.Loader[item]
		load = func(ctx context.Context, key string) (item, error) {
			return item{}, ask(ctx, c, next[key], load)
		}
		began := time.Now()
		err := ask(t.Context(), c, "a", load)
		require.ErrorIs(t, err, strategies.ErrCircle)
		assert.Contains(t, err.Error(), "item a → item b → item c → item a")
		assert.Zero(t, time.Since(began))
	})
}

func TestACircleOfCallersFailsAtOnce(t *testing.T) {
	nesting(t, fourLoads, func(t *testing.T, ask one, c *strategies.Cache[item]) {
		next := map[string]string{"a": "b", "b": "c", "c": "a"}
		var load strategies.Loader[item]
		load = func(ctx context.Context, key string) (item, error) {
			time.Sleep(100 * time.Millisecond)
			return item{}, ask(ctx, c, next[key], load)
		}
		began := time.Now()
		var wg sync.WaitGroup
		for key := range next {
			wg.Go(func() {
				assert.ErrorIs(t, ask(t.Context(), c, key, load), strategies.ErrCircle)
				// Without a snapshot each load that failed is tried once more.
				assert.Less(t, time.Since(began), time.Second)
			})
		}
		wg.Wait()
	})
}

// Two loads that ask for the same third are no circle, nor is a key that is asked
// for again once it is there.
func TestWhatOnlyLooksLikeACircle(t *testing.T) {
	nesting(t, fourLoads, func(t *testing.T, ask one, c *strategies.Cache[item]) {
		quick := func(context.Context, string) (item, error) {
			time.Sleep(10 * time.Millisecond)
			return item{}, nil
		}
		var wg sync.WaitGroup
		for _, key := range []string{"a", "b", "c"} {
			wg.Go(func() {
				assert.NoError(t, ask(t.Context(), c, key, func(ctx context.Context, _ string) (item, error) {
					var both sync.WaitGroup
					for range 2 {
						both.Go(func() { assert.NoError(t, ask(ctx, c, "d", quick)) })
					}
					both.Wait()
					return item{}, ask(ctx, c, "d", quick)
				}))
			})
		}
		wg.Wait()
	})
}
