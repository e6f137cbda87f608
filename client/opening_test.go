//go:build unix

package client_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
)

// openingClient is a client with the transport that it has by default, which
// trusts the server of the test.
func openingClient(t *testing.T, delay time.Duration, http2 bool) (c *client.Client, shared http.RoundTripper, line *far) {
	t.Helper()
	s, line := farServer(t, delay)
	tr := client.NewTransport(client.NoLimit)
	tr.TLSClientConfig.RootCAs = x509.NewCertPool()
	tr.TLSClientConfig.RootCAs.AddCert(s.Certificate())
	shared = client.Opening(tr)
	tr.Protocols.SetHTTP2(http2)
	c = benchClient(t, client.Config{URL: s.URL, MaxRetries: client.NoRetry, HTTPClient: &http.Client{Transport: shared}})
	return c, shared, line
}

// burst lets n callers ask at the same time, and counts those who got no answer.
func burst(t *testing.T, c *client.Client, n int) (failed int64) {
	t.Helper()
	var wg sync.WaitGroup
	var bad atomic.Int64
	for range n {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), "k"); err != nil {
				bad.Add(1)
			}
		})
	}
	wg.Wait()
	return bad.Load()
}

func TestOpeningAColdCrowdSharesOneConnection(t *testing.T) {
	c, shared, line := openingClient(t, 20*time.Millisecond, true)
	assert.Zero(t, burst(t, c, 64))
	assert.Equal(t, int64(1), line.accepted.Load())

	shared.(interface{ CloseIdleConnections() }).CloseIdleConnections() // as after a thaw
	assert.Zero(t, burst(t, c, 64))
	assert.LessOrEqual(t, line.accepted.Load(), int64(2))
}

func TestOpeningOverHTTP1TheCrowdDials(t *testing.T) {
	c, _, line := openingClient(t, 20*time.Millisecond, false)
	assert.Zero(t, burst(t, c, 64))
	assert.Greater(t, line.accepted.Load(), int64(8))
}

// Whoever waits for the first connection waits for it alone: not for the answer
// of the one that opens it, nor for a second attempt, nor past its own deadline.
func TestOpeningNobodyWaitsForTwo(t *testing.T) {
	dials := make(chan chan error, 100)
	tr := client.NewTransport(client.NoLimit)
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		fail := make(chan error)
		dials <- fail
		select {
		case err := <-fail:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c := benchClient(t, client.Config{MaxRetries: client.NoRetry, HTTPClient: &http.Client{Transport: client.Opening(tr)}})
	var wg sync.WaitGroup
	defer wg.Wait()
	get := func(ctx context.Context) {
		_, err := c.Get(ctx, "k")
		assert.ErrorIs(t, err, client.ErrTransport)
	}
	wg.Go(func() { get(t.Context()) })
	first := <-dials

	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Get(short, "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Empty(t, dials, "it waited for the first one")

	for range 8 {
		wg.Go(func() { get(t.Context()) })
	}
	time.Sleep(20 * time.Millisecond)
	first <- net.ErrClosed
	others := make([]chan error, 8)
	for i := range others {
		others[i] = <-dials // all at once, none after another
	}
	for _, fail := range others {
		fail <- net.ErrClosed
	}
}
