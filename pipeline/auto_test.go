package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// inBubble runs a test with an Auto over a slow transport in a bubble.
func inBubble(t *testing.T, test func(t *testing.T, a *pipeline.Auto, s *slow, srv *upstashtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
		s := &slow{next: srv.HTTPClient().Transport}
		a := pipeline.NewAuto(over(t, srv, s))
		test(t, a, s, srv)
		require.NoError(t, a.Close(t.Context()))
	})
}

func TestAutoSendsTheFirstAtOnceAndTheRestTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, srv *upstashtest.Server) {
		defer srv.ExpectBill(t, 10, 2)()
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, err := a.Set(t.Context(), fmt.Sprint("k", i), i)
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(t, []string{"/", "/pipeline"}, s.paths)
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestAutoAloneIsAnOrdinaryCall(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, _ *upstashtest.Server) {
		start := time.Now()
		_, err := a.Get(t.Context(), "missing")
		require.ErrorIs(t, err, client.ErrNil)
		assert.Equal(t, time.Second, time.Since(start), "nothing was waited for")
		assert.Equal(t, []string{"/"}, s.paths)
		_, err = a.Set(t.Context(), "k", "\xff\xfe")
		assert.NoError(t, err, "alone, bytes go as they are")
	})
}

func TestAutoKeepsTheOrderOfReadsAndWrites(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, _ *upstashtest.Server) {
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = a.Ping(t.Context()) })
		synctest.Wait()
		results := make([]int64, 20)
		for i := range results {
			wg.Go(func() {
				if i%2 == 0 {
					results[i], _ = a.Incr(t.Context(), "n")
				} else {
					results[i], _ = client.Decode[int64](a.Get(t.Context(), "n"))
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

func TestACancelledCallerHurtsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, srv *upstashtest.Server) {
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = a.Ping(t.Context()) })
		synctest.Wait()

		queued, leaveQueue := context.WithCancel(t.Context())
		sent, leaveRequest := context.WithCancel(t.Context())
		wg.Go(func() {
			_, err := a.Incr(queued, "never")
			var e *client.Error
			require.ErrorAs(t, err, &e)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, client.SentNo, e.Sent)
		})
		wg.Go(func() {
			_, err := a.Incr(sent, "maybe")
			var e *client.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, client.SentUnknown, e.Sent)
			assert.False(t, client.Unavailable(err))
		})
		wg.Go(func() {
			n, err := a.Incr(t.Context(), "n")
			assert.NoError(t, err)
			assert.Equal(t, int64(1), n)
		})
		synctest.Wait()
		leaveQueue()
		time.Sleep(1500 * time.Millisecond) // the second request is under way
		leaveRequest()
		wg.Wait()
		r, err := srv.Do("MGET", "never", "maybe")
		require.NoError(t, err)
		assert.Equal(t, command.KindNil, r.Array[0].Kind)
		assert.Equal(t, "1", string(r.Array[1].Bytes))
	})
}

func TestARequestThatNobodyWaitsForIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, _ *upstashtest.Server) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = a.Incr(ctx, "n") })
		}
		wg.Wait()
		start := time.Now()
		_, err := a.Ping(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(start), 1100*time.Millisecond)
	})
}

func TestAutoReportsErrorsPerCommand(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, _ *upstashtest.Server) {
		_, err := a.Set(t.Context(), "text", "x")
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = a.Ping(t.Context()) })
		synctest.Wait()
		wg.Go(func() { _, err := a.Incr(t.Context(), "text"); assert.Error(t, err) })
		wg.Go(func() { _, err := a.LPush(t.Context(), "text", 1); assert.ErrorIs(t, err, client.ErrWrongType) })
		wg.Go(func() { _, err := a.Get(t.Context(), "missing"); assert.ErrorIs(t, err, client.ErrNil) })
		wg.Go(func() { _, err := a.Set(t.Context(), "k", "\xff"); assert.ErrorIs(t, err, client.ErrBinary) })
		wg.Go(func() { _, err := a.Set(t.Context(), "k", nil); assert.ErrorContains(t, err, "nil is not a value") })
		wg.Go(func() { v, err := a.Get(t.Context(), "text"); assert.NoError(t, err); assert.Equal(t, "x", v) })
		wg.Wait()
		assert.Len(t, s.paths, 3)
	})
}

func TestARequestThatFailsRepeatsWhatIsSafe(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, _ *upstashtest.Server) {
		s.fail = func(n int) error {
			if n == 1 {
				return errors.New("reset")
			}
			return nil
		}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = a.Ping(t.Context()) })
		synctest.Wait()
		wg.Go(func() { _, err := a.Exists(t.Context(), "k"); assert.NoError(t, err) })
		wg.Go(func() {
			_, err := a.Incr(t.Context(), "n")
			var e *client.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, client.SentUnknown, e.Sent)
		})
		wg.Wait()
		assert.Equal(t, []string{"/", "/pipeline", "/pipeline"}, s.paths)
	})
}

func TestAutoSplitsLargeRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, srv *upstashtest.Server) {
		defer srv.ExpectBill(t, 2501, 4)()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = a.Incr(t.Context(), "n") })
		synctest.Wait()
		var done atomic.Int64
		for range 2500 {
			wg.Go(func() {
				if _, err := a.Incr(t.Context(), "n"); err == nil {
					done.Add(1)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, int64(2500), done.Load())
	})
}

func TestAutoClose(t *testing.T) {
	inBubble(t, func(t *testing.T, a *pipeline.Auto, s *slow, _ *upstashtest.Server) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, err := a.Incr(t.Context(), "n"); assert.NoError(t, err) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, a.Close(ctx), context.DeadlineExceeded)
		_, err := a.Incr(t.Context(), "n")
		assert.ErrorIs(t, err, pipeline.ErrClosed)
		assert.NoError(t, a.Close(t.Context()), "waits for those under way")
		wg.Wait()
	})
}
