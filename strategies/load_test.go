package strategies_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

func TestFetchDecidesWhatIsStored(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	fetch := func(key string, load func(*strategies.Load[item]) (item, error), opts ...strategies.Option) (item, strategies.Status) {
		var st strategies.Status
		v, err := c.Fetch(t.Context(), key, func(_ context.Context, l *strategies.Load[item]) (item, error) { return load(l) }, append(opts, strategies.Report(&st))...)
		require.NoError(t, err)
		return v, st
	}
	ttl := func(key string) time.Duration {
		keys, err := srv.Do("KEYS", "restash:e:item:*:"+key)
		require.NoError(t, err)
		require.Len(t, keys.Array, 1)
		ms, err := srv.Do("PTTL", string(keys.Array[0].Bytes))
		require.NoError(t, err)
		return time.Duration(ms.Int) * time.Millisecond
	}
	_, st := fetch("no", func(l *strategies.Load[item]) (item, error) { l.DoNotStore(); return item{N: 1}, nil })
	assert.False(t, st.Stored)
	fetch("ttl", func(l *strategies.Load[item]) (item, error) {
		l.SetTTL(time.Minute)
		l.SetStaleIfError(10 * time.Minute)
		return item{N: 1}, nil
	})
	assert.InDelta(t, (11 * time.Minute).Seconds(), ttl("ttl").Seconds(), 2)
	fetch("long", func(l *strategies.Load[item]) (item, error) { l.SetTTL(30 * 24 * time.Hour); return item{}, nil })
	assert.InDelta(t, strategies.MaxExpiry.Seconds(), ttl("long").Seconds(), 2)

	v, st := fetch("ttl", func(l *strategies.Load[item]) (item, error) {
		old, ok := l.Old()
		assert.True(t, ok)
		assert.Equal(t, 1, old.N)
		return l.NotModified()
	}, strategies.Force())
	assert.Equal(t, []any{1, strategies.Miss, strategies.ReasonForced, true}, []any{v.N, st.State, st.Reason, st.Stored})
	assert.InDelta(t, time.Hour.Seconds(), ttl("ttl").Seconds(), 2, "stamped again")

	_, err := store.Invalidate(t.Context(), invalidate.All())
	require.NoError(t, err)
	fetch("ttl", func(l *strategies.Load[item]) (item, error) {
		_, ok := l.Old()
		assert.False(t, ok, "an invalidated value is not handed out again")
		return item{}, nil
	})
}

func TestDoNotShareReleasesJoinersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		var n atomic.Int64
		var wg sync.WaitGroup
		began := time.Now()
		values := make([]int, 5)
		for i := range values {
			wg.Go(func() {
				v, err := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
					mine := int(n.Add(1))
					time.Sleep(time.Second)
					l.DoNotShare()
					time.Sleep(time.Minute) // longer than the hard timeout
					return item{N: mine}, nil
				})
				assert.NoError(t, err)
				values[i] = v.N
			})
		}
		wg.Wait()
		assert.ElementsMatch(t, []int{1, 2, 3, 4, 5}, values, "nobody got another's value")
		assert.Equal(t, 62*time.Second, time.Since(began), "all but the first together, behind its decision")
	})
}

func TestMaxLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.MaxLoads = 2 })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var now, most atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := c.Get(t.Context(), fmt.Sprint(i), func(context.Context, string) (item, error) {
					most.Store(max(most.Load(), now.Add(1)))
					time.Sleep(time.Second)
					now.Add(-1)
					return item{}, nil
				})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 2, most.Load())
	})
}

func TestTagOfALaterCallThatTheEntryLacks(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	_, st := get(t, c, "k", &src, strategies.Tags("new"))
	assert.Equal(t, strategies.Hit, st.State, "the tag was never invalidated")
	_, err := store.Invalidate(t.Context(), invalidate.Tags("new"))
	require.NoError(t, err)
	_, st = get(t, c, "k", &src, strategies.Tags("new"))
	assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
}

func TestSourceLagStoresNothingYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv, func(c *strategies.StoreConfig) { c.SourceLag = 5 * time.Second })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		_, err := store.Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.NoError(t, err)
		for _, wait := range []time.Duration{0, 6900 * time.Millisecond} {
			time.Sleep(wait)
			_, st := get(t, c, "k", &src)
			assert.False(t, st.Stored, "the source may not have the change yet")
		}
		time.Sleep(200 * time.Millisecond)
		_, st := get(t, c, "k", &src)
		assert.True(t, st.Stored)
	})
}

func TestHostileEntriesAreMisses(t *testing.T) {
	srv := newServer(t)
	store := newStore(t, srv)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	keys, err := srv.Do("KEYS", "restash:e:*")
	require.NoError(t, err)
	key := string(keys.Array[0].Bytes)
	whole, err := srv.Do("GET", key)
	require.NoError(t, err)
	good := string(whole.Bytes)
	for i, bad := range []string{"", "{}", "R1" + good[2:], good[:12], good[:len(good)-3], strings.Replace(good, " - - ", " b gzip ", 1), "R2 zzzzzzzzzzz 1 1 1 1 - - \n{}", `"` + good + `"`} {
		_, err := srv.Do("SET", key, bad)
		require.NoError(t, err)
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State, bad)
		assert.Equal(t, strategies.ReasonUndecodable, st.Reason, "%d: %s", i, bad)
		assert.EqualValues(t, i+1, store.Stats().Errors)
	}
}

func TestStrictDistrustsWhatWasStoredWithoutTokens(t *testing.T) {
	srv := newServer(t)
	cfg := strategies.Config{Name: "item", TTL: time.Hour}
	var src source
	get(t, strategies.New[item](newStore(t, srv), cfg), "k", &src)
	c := strategies.New[item](newStore(t, srv, func(c *strategies.StoreConfig) { c.Strict = true }), cfg)
	_, st := get(t, c, "k", &src)
	assert.Equal(t, []any{strategies.Miss, strategies.ReasonInvalidated}, []any{st.State, st.Reason})
}

func TestAPrivateLoadGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.MaxLoads = 1 })
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		streaming := make(chan struct{})
		go func() {
			_, err := c.Fetch(t.Context(), "stream", func(_ context.Context, l *strategies.Load[item]) (item, error) {
				l.DoNotShare()
				<-streaming
				return item{}, nil
			})
			assert.NoError(t, err)
		}()
		synctest.Wait()
		var src source
		get(t, c, "other", &src)
		close(streaming)
		synctest.Wait()
		get(t, c, "third", &src)
	})
}
