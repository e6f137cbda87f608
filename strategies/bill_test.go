package strategies_test

import (
	"context"
	"fmt"
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

// The bill: each row of the table in design.md, section 4, asserted by what
// the server counted.
func TestBill(t *testing.T) {
	ctx := context.Background()
	row := func(name string, f func(t *testing.T)) { t.Run(name, f) }

	row("miss 2/2, hit 1/1", func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute, Tags: []string{"a", "b"}})
		var src source
		check := srv.ExpectBill(t, 2, 2)
		_, st := get(t, c, "x:y:z", &src, strategies.Tags("c"))
		check()
		assert.Equal(t, strategies.Miss, st.State)
		assert.True(t, st.Stored)
		assert.Equal(t, []int{2, 2}, []int{st.Commands, st.Trips})

		check = srv.ExpectBill(t, 1, 1)
		v, st := get(t, c, "x:y:z", &src, strategies.Tags("c"))
		check()
		assert.Equal(t, strategies.Hit, st.State)
		assert.Equal(t, "x:y:z", v.ID)
		assert.EqualValues(t, 1, src.reads.Load())
	})

	row("late tags: miss 3/3, first hit of a process 2/2, then 1/1", func(t *testing.T) {
		srv := newServer(t)
		cfg := strategies.Config{Name: "item", TTL: time.Minute}
		first := strategies.New[item](newStore(t, srv), cfg)
		load := func(ctx context.Context, l *strategies.Load[item]) (item, error) {
			l.AddTags("late")
			return item{ID: l.Key()}, nil
		}
		fetch := func(c *strategies.Cache[item]) {
			_, err := c.Fetch(ctx, "k", load)
			require.NoError(t, err)
		}
		check := srv.ExpectBill(t, 3, 3)
		fetch(first)
		check()
		check = srv.ExpectBill(t, 1, 1)
		fetch(first)
		check()
		other := strategies.New[item](newStore(t, srv), cfg)
		check = srv.ExpectBill(t, 2, 2)
		fetch(other)
		check()
		check = srv.ExpectBill(t, 1, 1)
		fetch(other)
		check()
	})

	row("refresh after a stale answer 1/1", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t)
			store := newStore(t, srv)
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Minute})
			var src source
			get(t, c, "k", &src)
			time.Sleep(61 * time.Second)
			check := srv.ExpectBill(t, 2, 2)
			_, st := get(t, c, "k", &src)
			assert.Equal(t, strategies.Stale, st.State)
			require.NoError(t, store.Flush(ctx))
			check()
			_, st = get(t, c, "k", &src)
			assert.Equal(t, strategies.Hit, st.State)
		})
	})

	row("stampede 3/3", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t)
			slow := srv.Intercept(delayed(20 * time.Millisecond))
			defer slow()
			c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
			var src source
			src.delay.Store(int64(100 * time.Millisecond))
			check := srv.ExpectBill(t, 3, 3)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() { get(t, c, "k", &src) })
			}
			wg.Wait()
			check()
			assert.EqualValues(t, 1, src.reads.Load())
		})
	})

	row("batch of n keys, some missing: 2 / 2, none missing 1/1", func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
		var src source
		keys := make([]string, 20)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		_, err := c.GetMany(ctx, keys[:13], src.loadMany)
		require.NoError(t, err)
		check := srv.ExpectBill(t, 2, 2)
		got, err := c.GetMany(ctx, keys, src.loadMany)
		require.NoError(t, err)
		check()
		assert.Len(t, got, 20)
		check = srv.ExpectBill(t, 1, 1)
		_, err = c.GetMany(ctx, keys, src.loadMany)
		require.NoError(t, err)
		check()
		assert.EqualValues(t, 2, src.reads.Load())
	})

	row("invalidate: one command a target, one trip", func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
		check := srv.ExpectBill(t, 5, 1)
		r, err := store.Invalidate(ctx, invalidate.Tags("a", "b"), invalidate.Key(c, "x"), invalidate.Prefix(c, "p"), invalidate.All())
		require.NoError(t, err)
		check()
		assert.Equal(t, invalidate.Report{Commands: 5, Trips: 1}, r)
	})

	row("write-through and Set 3/2, delete 1/1", func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
		save := func(context.Context, item) error { return nil }
		for range 2 { // the token absent, then present
			check := srv.ExpectBill(t, 3, 2)
			require.NoError(t, c.WriteThrough(ctx, "k", item{N: 1}, save))
			check()
		}
		check := srv.ExpectBill(t, 3, 2)
		require.NoError(t, c.Set(ctx, "k", item{N: 2}))
		check()
		var src source
		v, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Hit, st.State)
		assert.Equal(t, 2, v.N)
		check = srv.ExpectBill(t, 1, 1)
		require.NoError(t, c.Delete(ctx, "k", func(context.Context) error { return nil }))
		check()
	})

	row("warm n keys: 2⌈n/500⌉ in 2⌈n/500⌉", func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
		var src source
		keys := make([]string, 1200)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		check := srv.ExpectBill(t, 6, 6)
		r, err := c.Warm(ctx, keys, src.loadMany)
		require.NoError(t, err)
		check()
		assert.Equal(t, 1200, r.Warmed)
		assert.Equal(t, []int{6, 6}, []int{r.Commands, r.Trips})
		r, err = c.Warm(ctx, keys, src.loadMany)
		require.NoError(t, err)
		assert.Equal(t, []int{1200, 0}, []int{r.Fresh, r.Warmed})
	})

	row("strict, a absent tokens: +1+a / +1", func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv, func(c *strategies.StoreConfig) { c.Strict = true }), strategies.Config{Name: "item", TTL: time.Minute})
		var src source
		// namespace, handle, key, and the key as a prefix: four tokens.
		check := srv.ExpectBill(t, 2+1+4, 3)
		get(t, c, "k", &src)
		check()
		check = srv.ExpectBill(t, 1, 1)
		_, st := get(t, c, "k", &src)
		check()
		assert.Equal(t, strategies.Hit, st.State)
		check = srv.ExpectBill(t, 3+1+2, 3)
		require.NoError(t, c.WriteThrough(ctx, "other", item{}, func(context.Context, item) error { return nil }))
		check()
	})

	row("a value over the limit is returned and not stored", func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[string](store, strategies.Config{Name: "big", TTL: time.Minute, Advanced: strategies.Advanced{CompressFrom: -1}})
		big := strings.Repeat("x", 512<<10)
		check := srv.ExpectBill(t, 1, 1)
		var st strategies.Status
		v, err := c.Get(ctx, "k", func(context.Context, string) (string, error) { return big, nil }, strategies.Report(&st))
		require.NoError(t, err)
		check()
		assert.Equal(t, big, v)
		assert.True(t, st.Oversized)
		assert.EqualValues(t, 1, store.Stats().Oversized)
	})
}
