package strategies_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/strategies"
)

func TestLeaseLetsOneInstanceLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		cfg := strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{Lease: 5 * time.Second}}
		var src source
		src.delay.Store(int64(time.Second))
		var wg sync.WaitGroup
		for range 4 {
			c := strategies.New[item](newStore(t, srv), cfg)
			wg.Go(func() { get(t, c, "k", &src) })
		}
		wg.Wait()
		assert.EqualValues(t, 1, src.reads.Load())
		held, err := srv.Do("EXISTS", "restash:l:item:"+srvFingerprint(t, srv)+":k")
		assert.NoError(t, err)
		assert.Zero(t, held.Int, "given back")
	})
}

func TestALeaseThatIsNotGivenBackExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		cfg := strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{Lease: 2 * time.Second}}
		c := strategies.New[item](newStore(t, srv), cfg)
		var src source
		get(t, c, "warm", &src) // names the fingerprint
		_, err := srv.Do("SET", "restash:l:item:"+srvFingerprint(t, srv)+":k", "dead instance", "PX", "60000")
		assert.NoError(t, err)
		began := time.Now()
		_, st := get(t, c, "k", &src)
		assert.Equal(t, strategies.Miss, st.State)
		assert.Equal(t, 2*time.Second, time.Since(began), "then it loads by itself")
	})
}

// The lease is given back with the load's end, however that was: nobody waits
// for an entry that will not come.
func TestOthersDoNotWaitForALeaseWhoseLoadStoredNothing(t *testing.T) {
	ends := map[string]func(l *strategies.Load[item]) (item, error){
		"failed":     func(*strategies.Load[item]) (item, error) { return item{}, errSource },
		"not found":  func(l *strategies.Load[item]) (item, error) { return l.NotFound() },
		"not stored": func(l *strategies.Load[item]) (item, error) { l.DoNotStore(); return item{}, nil },
		"not shared": func(l *strategies.Load[item]) (item, error) { l.DoNotShare(); return item{}, nil },
		"too big":    func(*strategies.Load[item]) (item, error) { return item{ID: strings.Repeat("ü%", 1<<20)}, nil },
		"panicked":   func(*strategies.Load[item]) (item, error) { panic("loader") },
		"exited":     func(*strategies.Load[item]) (item, error) { runtime.Goexit(); return item{}, nil },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				cfg := strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{Lease: 10 * time.Second, CompressFrom: -1}}
				var wg sync.WaitGroup
				for range 4 {
					c := strategies.New[item](newStore(t, srv), cfg)
					wg.Go(func() {
						began := time.Now()
						_, _ = c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
							time.Sleep(100 * time.Millisecond)
							return end(l)
						})
						assert.Less(t, time.Since(began), time.Second)
					})
				}
				wg.Wait()
			})
		})
	}
}
