package strategies_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type fullExec struct{ during func() }

func (e *fullExec) Submit(func()) bool          { e.during(); return false }
func (e *fullExec) Wait() time.Duration         { return 0 }
func (e *fullExec) Flush(context.Context) error { return nil }

func TestARefusedRefreshSendsItsJoinersAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		ex := &fullExec{during: func() {}}
		s := newStore(t, srv, func(c *strategies.StoreConfig) { c.Executor = ex })
		c := strategies.New[item](s, strategies.Config{Name: "item", TTL: time.Second, StaleWhileRevalidate: time.Hour})
		var src source
		get(t, c, "k", &src)
		time.Sleep(2 * time.Second)
		ex.during = func() {
			ex.during = func() {}
			_, _ = srv.Do("DEL", "restash:e:item:"+srvFingerprint(t, srv)+":k")
			go func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("PANIC %v", p)
					}
				}()
				_, err := c.GetMany(t.Context(), []string{"k"}, src.loadMany)
				if err != nil {
					t.Errorf("getmany %v", err)
				}
			}()
			go func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("PANIC %v", p)
					}
				}()
				_, err := c.Get(t.Context(), "k", src.load)
				if err != nil {
					t.Errorf("get %v", err)
				}
			}()
			time.Sleep(time.Second)
		}
		get(t, c, "k", &src)
		synctest.Wait()
	})
}

func TestChangingLateTagsStayCachable(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	for n := range 8 {
		var st strategies.Status
		_, err := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
			for i := range 5 {
				l.AddTags(fmt.Sprintf("t%d-%d", n, i))
			}
			return item{N: n}, nil
		}, strategies.Force(), strategies.Report(&st))
		if err != nil || !st.Stored && !st.Storing {
			t.Errorf("%d: stored %v %v", n, st.Stored, st.Err)
		}
	}
}

func TestCloseSendsWhatIsPendingBesideASlowRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		s := newStore(t, srv)
		c := strategies.New[item](s, strategies.Config{Name: "item", TTL: time.Second, StaleWhileRevalidate: time.Hour})
		var src source
		get(t, c, "k", &src)
		time.Sleep(2 * time.Second)
		src.delay.Store(int64(20 * time.Second))
		get(t, c, "k", &src)
		rm := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(401) })
		_, err := s.Invalidate(t.Context(), invalidate.Tags("x"))
		assert.ErrorIs(t, err, strategies.ErrPending)
		rm()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err = s.Close(ctx)
		defer time.Sleep(30 * time.Second)
		r, _ := srv.Do("EXISTS", "restash:t:x")
		assert.EqualValues(t, 1, r.Int, "sent at Close; err %v", err)
	})
}

func TestSoftInvalidationRevivesNothingExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, newServer(t), func(c *strategies.StoreConfig) { c.Soft = true })
		c := strategies.New[item](s, strategies.Config{Name: "item", TTL: time.Minute, StaleIfError: time.Hour, Tags: []string{"x"}})
		var src source
		get(t, c, "k", &src)
		time.Sleep(30 * time.Minute)
		_, _ = s.Invalidate(t.Context(), invalidate.Soft(invalidate.Tags("x")))
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State)
	})
}

func TestALateTagInvalidatedWhileItsTokenIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		other := newStore(t, srv)
		c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
		var version atomic.Int64
		var once atomic.Bool
		srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			b := peek(r)
			next.ServeHTTP(w, r)
			if strings.Contains(b, "MGET") && strings.Contains(b, "t:late") && !strings.Contains(b, ":e:") {
				if once.CompareAndSwap(false, true) {
					time.Sleep(500 * time.Millisecond)
				}
			}
		})
		ask := func() item {
			v, _ := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
				v := item{N: int(version.Load())}
				l.AddTags("late")
				return v, nil
			})
			return v
		}
		var wg sync.WaitGroup
		wg.Go(func() { ask() })
		time.Sleep(100 * time.Millisecond)
		version.Store(1)
		_, err := other.Invalidate(t.Context(), invalidate.Tags("late"))
		assert.NoError(t, err)
		assert.Equal(t, 1, ask().N, "began after the invalidation returned")
		wg.Wait()
	})
}

func TestAForcedBatchLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := strategies.New[item](newStore(t, newServer(t)), strategies.Config{Name: "item", TTL: time.Minute, StaleIfError: time.Hour})
		var src source
		get(t, c, "k", &src)
		src.fail.Store(true)
		_, err := c.Get(t.Context(), "k", src.load, strategies.Force())
		assert.ErrorIs(t, err, errSource)
		src.fail.Store(false)
		src.value.Store(9)
		m, err := c.GetMany(t.Context(), []string{"k"}, src.loadMany, strategies.Force())
		assert.NoError(t, err)
		assert.Equal(t, 9, m["k"].N)
		_, err = c.GetMany(t.Context(), []string{"none"}, func(context.Context, []string) (map[string]item, error) { return nil, errSource })
		assert.True(t, err == errSource, "unchanged: %T", err)
		assert.NotZero(t, c.Stats().P99+c.Store().Stats().P99*0, "handle latency")
	})
}

func TestNegativeWindowsAreNone(t *testing.T) {
	c := strategies.New[item](newStore(t, newServer(t)), strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	get(t, c, "k", &src, strategies.StaleWhileRevalidate(-time.Second))
	_, st := get(t, c, "k", &src)
	assert.Equal(t, strategies.Hit, st.State, st.Reason)
}

func TestPatternsHitVariants(t *testing.T) {
	s := newStore(t, newServer(t))
	c := strategies.New[item](s, strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	get(t, c, "k", &src, strategies.Variant("en"))
	_, _ = s.Invalidate(t.Context(), invalidate.Pattern(c, "k"))
	_, st := get(t, c, "k", &src, strategies.Variant("en"))
	assert.Equal(t, strategies.Miss, st.State)
}

type boom struct{ N int }

func (boom) MarshalJSON() ([]byte, error)  { panic("boom") }
func (*boom) UnmarshalJSON(_ []byte) error { panic("boom") }

func TestAPanickingCodecCostsOnlyTheCache(t *testing.T) {
	c := strategies.New[boom](newStore(t, newServer(t)), strategies.Config{Name: "boom", TTL: time.Minute})
	var st strategies.Status
	got, err := c.Get(t.Context(), "k", func(context.Context, string) (boom, error) { return boom{1}, nil }, strategies.Report(&st))
	require.NoError(t, err, "the loader answers")
	assert.Equal(t, boom{1}, got)
	assert.False(t, st.Stored)
	_, ok := errors.AsType[*strategies.PanicError](st.Err)
	assert.True(t, ok, "%v", st.Err)
}
