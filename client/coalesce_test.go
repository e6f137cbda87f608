package client_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow is a transport on which each request takes a second, and that notes
// what was asked for.
type slow struct {
	next  http.RoundTripper
	mu    sync.Mutex
	paths []string
	fail  func(n int) error
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.paths)
	s.paths = append(s.paths, r.URL.Path)
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if s.fail != nil {
		if err := s.fail(n); err != nil {
			return nil, err
		}
	}
	return s.next.RoundTrip(r)
}

func coalescing(t *testing.T, url, token string, tr http.RoundTripper) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: url, Token: token, Coalesce: true, HTTPClient: &http.Client{Transport: tr}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// shared runs a test with a coalescing client over a slow transport in a bubble.
func shared(t *testing.T, test func(t *testing.T, c *client.Client, s *slow, srv *upstashtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
		s := &slow{next: srv.HTTPClient().Transport}
		test(t, coalescing(t, srv.URL, srv.Token, s), s, srv)
	})
}

// busy sends a command that is under way when it returns.
func busy(t *testing.T, wg *sync.WaitGroup, c *client.Client) {
	wg.Go(func() { _, err := c.Ping(t.Context()); assert.NoError(t, err) })
	synctest.Wait()
}

func TestCoalesceTheFirstLeavesAtOnceAndTheRestTogether(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, srv *upstashtest.Server) {
		defer srv.ExpectBill(t, 100, 2)()
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				_, err := c.Set(t.Context(), fmt.Sprint("k", i), i)
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(t, []string{"/", "/pipeline"}, s.paths)
	})
}

func TestCoalesceAloneIsAnOrdinaryCall(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, _ *upstashtest.Server) {
		start := time.Now()
		_, err := c.Get(t.Context(), "missing")
		require.ErrorIs(t, err, client.ErrNil)
		assert.Equal(t, time.Second, time.Since(start), "nothing was waited for")
		assert.Equal(t, []string{"/"}, s.paths)
	})
}

// What works alone works with 50 callers beside it: bytes that are not UTF-8,
// large arguments, commands that were made wrongly.
func TestCoalesceConcurrencyDoesNotDecideSuccess(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, _ *slow, srv *upstashtest.Server) {
		var wg sync.WaitGroup
		large := strings.Repeat("x", 100<<10)
		for i := range 50 {
			wg.Go(func() {
				_, err := c.Set(t.Context(), fmt.Sprint("bytes", i), "\xff\xfe")
				assert.NoError(t, err)
			})
			wg.Go(func() {
				_, err := c.Set(t.Context(), fmt.Sprint("large", i), large)
				assert.NoError(t, err)
			})
			wg.Go(func() {
				_, err := c.Set(t.Context(), "k", nil)
				assert.EqualError(t, err, "client: SET: nil is not a value")
			})
		}
		wg.Wait()
		r, err := srv.Do("GET", "bytes49")
		require.NoError(t, err)
		assert.Equal(t, "\xff\xfe", string(r.Bytes))
	})
}

// A Batch, a Transaction and a Pipeline are one request each, whatever else is
// under way.
func TestCoalesceBatchesStayWhole(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, _ *upstashtest.Server) {
		var wg sync.WaitGroup
		busy(t, &wg, c)
		for range 5 {
			wg.Go(func() { _, err := c.Incr(t.Context(), "n"); assert.NoError(t, err) })
		}
		wg.Go(func() {
			p := pipeline.New(c)
			p.Incr("p")
			p.Incr("p")
			assert.NoError(t, p.Exec(t.Context()))
		})
		wg.Go(func() {
			_, err := c.Transaction(t.Context(), command.Incr("t"), command.Incr("t"))
			assert.NoError(t, err)
		})
		wg.Wait()
		assert.ElementsMatch(t, []string{"/", "/pipeline", "/pipeline", "/multi-exec"}, s.paths)
	})
}

// A request that hangs delays those in it, and nobody else for longer than a
// request takes.
func TestCoalesceASlowRequestHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		c := coalescing(t, "https://x", "t", roundTrip(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1) == 1 {
				time.Sleep(20 * time.Second)
				return answer(200, `{"result":1}`)(r)
			}
			time.Sleep(10 * time.Millisecond)
			return answer(200, `[{"result":1}]`)(r)
		}))
		var wg sync.WaitGroup
		wg.Go(func() { _, err := client.Do(t.Context(), c, command.Incr("slow")); assert.NoError(t, err) })
		synctest.Wait()
		for range 100 {
			start := time.Now()
			_, err := c.Incr(t.Context(), "n")
			require.NoError(t, err)
			assert.Less(t, time.Since(start), 300*time.Millisecond)
		}
		wg.Wait()
	})
}

// Not more than four requests are under way for all that share.
func TestCoalesceRequestsAtOnceAreBounded(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, _ *upstashtest.Server) {
		var wg sync.WaitGroup
		busy(t, &wg, c)
		for range 9 {
			wg.Go(func() { _, err := c.Incr(t.Context(), "n"); assert.NoError(t, err) })
			time.Sleep(50 * time.Millisecond)
		}
		s.mu.Lock()
		assert.Len(t, s.paths, 4)
		s.mu.Unlock()
		wg.Wait()
	})
}

// A command whose replies are large goes its own way, until they are small.
func TestCoalesceLargeRepliesTravelAlone(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, srv *upstashtest.Server) {
		_, err := srv.Do("SET", "large", strings.Repeat("x", 100<<10))
		require.NoError(t, err)
		_, err = srv.Do("SET", "small", "x")
		require.NoError(t, err)
		round := func(key string) int {
			synctest.Wait()
			s.mu.Lock()
			s.paths = nil
			s.mu.Unlock()
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { _, err := c.Get(t.Context(), key); assert.NoError(t, err) })
			}
			wg.Wait()
			return len(s.paths)
		}
		_, err = c.Get(t.Context(), "large")
		require.NoError(t, err)
		assert.Equal(t, 20, round("large"))
		for range 3 {
			round("small")
		}
		assert.Equal(t, 2, round("small"))
	})
}

func TestCoalesceKeepsTheOrderOfReadsAndWrites(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, _ *upstashtest.Server) {
		var wg sync.WaitGroup
		busy(t, &wg, c)
		results := make([]int64, 20)
		for i := range results {
			wg.Go(func() {
				if i%2 == 0 {
					results[i], _ = c.Incr(t.Context(), "n")
				} else {
					results[i], _ = client.Decode[int64](c.Get(t.Context(), "n"))
				}
			})
			synctest.Wait() // queued
		}
		wg.Wait()
		for i, n := range results {
			assert.Equal(t, int64(i/2+1), n, "command %d", i)
		}
		assert.Len(t, s.paths, 2)
	})
}

func TestCoalesceACancelledCallerHurtsNobody(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, _ *slow, srv *upstashtest.Server) {
		var wg sync.WaitGroup
		busy(t, &wg, c)
		queued, leaveQueue := context.WithCancel(t.Context())
		sent, leaveRequest := context.WithCancel(t.Context())
		gone := func(ctx context.Context, key string, fate client.Sent) {
			_, err := c.Incr(ctx, key)
			var e *client.Error
			require.ErrorAs(t, err, &e)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, fate, e.Sent)
			assert.False(t, client.Unavailable(err))
		}
		wg.Go(func() { gone(queued, "never", client.SentNo) })
		wg.Go(func() { gone(sent, "maybe", client.SentUnknown) })
		wg.Go(func() {
			n, err := c.Incr(t.Context(), "n")
			assert.NoError(t, err)
			assert.Equal(t, int64(1), n)
		})
		synctest.Wait()
		leaveQueue()
		time.Sleep(500 * time.Millisecond) // the second request is under way
		leaveRequest()
		wg.Wait()
		r, err := srv.Do("MGET", "never", "maybe")
		require.NoError(t, err)
		assert.Equal(t, command.KindNil, r.Array[0].Kind)
		assert.Equal(t, "1", string(r.Array[1].Bytes))
	})
}

func TestCoalesceARequestThatNobodyWaitsForIsGivenUp(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, _ *slow, srv *upstashtest.Server) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, err := c.Incr(ctx, "n"); assert.ErrorIs(t, err, context.DeadlineExceeded) })
		}
		wg.Wait()
		time.Sleep(time.Minute)
		r, err := srv.Do("GET", "n")
		require.NoError(t, err)
		assert.Equal(t, command.KindNil, r.Kind, "no request came through")
	})
}

func TestCoalesceErrorsArePerCommand(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, _ *upstashtest.Server) {
		_, err := c.Set(t.Context(), "text", "x")
		require.NoError(t, err)
		var wg sync.WaitGroup
		busy(t, &wg, c)
		wg.Go(func() { _, err := c.Incr(t.Context(), "text"); assert.ErrorContains(t, err, "client: INCR: ERR") })
		wg.Go(func() { _, err := c.LPush(t.Context(), "text", 1); assert.ErrorIs(t, err, client.ErrWrongType) })
		wg.Go(func() { _, err := c.Get(t.Context(), "missing"); assert.ErrorIs(t, err, client.ErrNil) })
		wg.Go(func() { v, err := c.Get(t.Context(), "text"); assert.NoError(t, err); assert.Equal(t, "x", v) })
		wg.Go(func() {
			script := command.NewScript("return ARGV[1]")
			v, err := client.Do(t.Context(), c, command.RunScript[string](script, nil, "a"))
			assert.NoError(t, err)
			assert.Equal(t, "a", v)
		})
		wg.Wait()
		assert.Len(t, s.paths, 3, "the script brought its source along")
	})
}

func TestCoalesceARequestThatFailsRepeatsWhatIsSafe(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, s *slow, _ *upstashtest.Server) {
		s.fail = func(n int) error {
			if n == 1 {
				return errors.New("reset")
			}
			return nil
		}
		var wg sync.WaitGroup
		busy(t, &wg, c)
		wg.Go(func() { _, err := c.Exists(t.Context(), "k"); assert.NoError(t, err) })
		wg.Go(func() {
			n, err := c.SRem(t.Context(), "s", "m")
			assert.ErrorIs(t, err, client.ErrRepeated, "the lost request may have removed it")
			assert.Zero(t, n)
		})
		wg.Go(func() {
			_, err := c.Incr(t.Context(), "n")
			var e *client.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, client.SentUnknown, e.Sent)
			assert.Equal(t, "INCR", e.Command)
		})
		wg.Wait()
		assert.Equal(t, []string{"/", "/pipeline", "/pipeline"}, s.paths)
	})
}

func TestCoalesceLargeRequestsAreSplit(t *testing.T) {
	shared(t, func(t *testing.T, c *client.Client, _ *slow, srv *upstashtest.Server) {
		defer srv.ExpectBill(t, 2501, 4)()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Incr(t.Context(), "n") })
		synctest.Wait()
		var done atomic.Int64
		for range 2500 {
			wg.Go(func() {
				if _, err := c.Incr(t.Context(), "n"); err == nil {
					done.Add(1)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, int64(2500), done.Load())
	})
}

// A transport that ends the goroutine it runs in leaves nobody waiting.
func TestCoalesceNobodyWaitsForAGoroutineThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		c := coalescing(t, "https://x", "t", roundTrip(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1) == 2 {
				runtime.Goexit()
			}
			time.Sleep(time.Second)
			return answer(200, `{"result":1}`)(r)
		}))
		var wg sync.WaitGroup
		busy := func() { _, err := c.Incr(t.Context(), "n"); assert.NoError(t, err) }
		wg.Go(busy)
		synctest.Wait()
		wg.Go(func() { _, err := c.Incr(t.Context(), "n"); assert.ErrorIs(t, err, client.ErrTransport) })
		wg.Wait()
		busy() // with no flight left behind it leaves at once, alone
	})
}

func TestCoalesceCloseRefusesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
		c := coalescing(t, srv.URL, srv.Token, &slow{next: srv.HTTPClient().Transport})
		var wg sync.WaitGroup
		wg.Go(func() { _, err := c.Incr(t.Context(), "n"); assert.NoError(t, err) })
		synctest.Wait()
		wg.Go(func() { _, err := c.Incr(t.Context(), "n"); assert.ErrorIs(t, err, client.ErrClosed) })
		synctest.Wait()
		require.NoError(t, c.Close())
		_, err := c.Incr(t.Context(), "n")
		assert.ErrorIs(t, err, client.ErrClosed)
		wg.Wait()
	})
}

// BenchmarkCallers compares 64 callers that each send requests of their own
// with 64 that share them.
func BenchmarkCallers(b *testing.B) {
	for _, n := range []int{kib, 100 * kib} {
		one := `{"result":"` + base64.StdEncoding.EncodeToString([]byte(value(n))) + `"}`
		s := batchServer(b, one)
		for _, coalesce := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/coalesce=%v", n, coalesce), func(b *testing.B) {
				c := benchClient(b, client.Config{URL: s.URL, Coalesce: coalesce})
				b.ReportAllocs()
				b.SetParallelism(32) // times GOMAXPROCS of 2: 64 callers
				var failed atomic.Int64
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := c.Get(b.Context(), "user:1"); err != nil {
							failed.Add(1)
						}
					}
				})
				if failed.Load() > 0 {
					b.Fatalf("%d failed", failed.Load())
				}
			})
		}
	}
}
