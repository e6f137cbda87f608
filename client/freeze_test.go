package client_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFrozen(t *testing.T) {
	now := time.Now()
	assert.False(t, client.Frozen(now, now.Add(time.Hour)), "both clocks moved on")
	assert.False(t, client.Frozen(now.Round(0), now.Round(0).Add(time.Hour)), "no monotonic reading")
	// Readings whose two clocks disagree cannot be made by hand, hence the
	// function below.
	assert.True(t, client.FrozenFor(time.Hour, time.Second))
	assert.True(t, client.FrozenFor(5*time.Second, 0))
	assert.False(t, client.FrozenFor(5*time.Second, time.Second))
	assert.False(t, client.FrozenFor(-time.Hour, 0), "the clock was set back")
}

// TestIdleConnectionsAreNotTrustedAfterAGap runs in a bubble, where an hour
// passes at once.
func TestIdleConnectionsAreNotTrustedAfterAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{good}}
		var gaps []time.Duration
		c := scriptedClient(t, s, func(cfg *client.Config) {
			cfg.Trace = &client.Trace{Thaw: func(_ context.Context, gap time.Duration) { gaps = append(gaps, gap) }}
		})
		ask := func() {
			_, err := c.Incr(t.Context(), "k")
			require.NoError(t, err)
		}
		ask()
		time.Sleep(9 * time.Second)
		ask()
		assert.Zero(t, s.idle)
		time.Sleep(time.Hour)
		ask()
		assert.Equal(t, 1, s.idle)
		assert.Equal(t, []time.Duration{time.Hour}, gaps)
		ask()
		assert.Equal(t, 1, s.idle)
	})
}

// counting is a server that counts how often each command was executed, and
// that can close all its connections.
type counting struct {
	*httptest.Server
	mu       sync.Mutex
	executed map[string]int
	protocol string
}

func newCounting(t *testing.T, http2 bool) *counting {
	t.Helper()
	s := &counting{executed: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(s)
	if http2 {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.executed[string(body)]++
	s.protocol = r.Proto
	s.mu.Unlock()
	_, _ = io.WriteString(w, `{"result":1}`)
}

func (s *counting) client(t *testing.T) *client.Client {
	t.Helper()
	tr := client.NewTransport(client.NoLimit)
	if s.TLS != nil {
		tr.TLSClientConfig.RootCAs = x509.NewCertPool()
		tr.TLSClientConfig.RootCAs.AddCert(s.Certificate())
	}
	c, err := client.New(client.Config{URL: s.URL, Token: "t", HTTPClient: &http.Client{Transport: tr}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// TestResumeRace lets the server close its connections at the very moment at
// which the client sends, as it happens to a process that is thawed: commands
// that are safe to repeat must not fail, others must not run twice.
func TestResumeRace(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			s := newCounting(t, http2)
			c := s.client(t)
			lost := 0
			for i := range 200 {
				_, err := c.Ping(t.Context())
				require.NoError(t, err)
				var closing sync.WaitGroup
				closing.Go(func() { pause(); s.CloseClientConnections() })
				pause()
				_, err = c.Exists(t.Context(), fmt.Sprint("safe", i))
				require.NoError(t, err, "trial %d", i)
				closing.Wait()

				_, err = c.Ping(t.Context())
				require.NoError(t, err)
				closing.Go(func() { pause(); s.CloseClientConnections() })
				pause()
				if _, err = c.Incr(t.Context(), fmt.Sprint("unsafe", i)); err != nil {
					lost++
					var e *client.Error
					require.True(t, errors.As(err, &e) && e.Sent != client.SentYes, err)
				}
				closing.Wait()
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			assert.Equal(t, name, s.protocol)
			for cmd, n := range s.executed {
				if strings.Contains(cmd, "INCR") {
					assert.Equal(t, 1, n, cmd)
				}
			}
			t.Logf("%d of 200 commands that are not safe to repeat failed, none ran twice", lost)
		})
	}
}

// pause yields for a random moment.
func pause() {
	for range rand.N(40) {
		runtime.Gosched()
	}
}

func TestTLSSessionsAreResumed(t *testing.T) {
	s := newCounting(t, true)
	resumed := 0
	tr := client.NewTransport(client.NoLimit)
	tr.TLSClientConfig.RootCAs = x509.NewCertPool()
	tr.TLSClientConfig.RootCAs.AddCert(s.Certificate())
	c, err := client.New(client.Config{URL: s.URL, Token: "t", HTTPClient: &http.Client{Transport: watching{tr, &resumed}}})
	require.NoError(t, err)
	// A connection that is not idle yet when the others are closed serves once
	// more, so it is not said how many requests it takes.
	for range 50 {
		_, err := c.Exists(t.Context(), "k")
		require.NoError(t, err)
		tr.CloseIdleConnections()
		if resumed >= 4 {
			return
		}
	}
	t.Fatalf("%d of 50 requests went over a resumed session", resumed)
}

// watching counts answers over resumed TLS sessions.
type watching struct {
	http.RoundTripper
	resumed *int
}

func (w watching) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(r)
	if err == nil && resp.TLS.DidResume {
		*w.resumed++
	}
	return resp, err
}

func TestMaxConns(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			s := newCounting(t, http2)
			var mu sync.Mutex
			conns := map[string]bool{}
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				conns[r.RemoteAddr] = true
				mu.Unlock()
				s.ServeHTTP(w, r)
			})
			tr := client.NewTransport(2)
			if http2 {
				tr.TLSClientConfig.RootCAs = x509.NewCertPool()
				tr.TLSClientConfig.RootCAs.AddCert(s.Certificate())
			}
			c, err := client.New(client.Config{URL: s.URL, Token: "t", HTTPClient: &http.Client{Transport: tr}})
			require.NoError(t, err)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					_, err := c.Exists(t.Context(), "k")
					assert.NoError(t, err)
				})
			}
			wg.Wait()
			assert.LessOrEqual(t, len(conns), 2)
			require.NoError(t, c.Close())
		})
	}
}
