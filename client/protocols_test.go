//go:build unix

package client_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
)

// far makes a listener whose answers arrive late, as over a long line: whatever
// is written to a connection leaves in its order, after the delay.
type far struct {
	net.Listener
	delay    time.Duration
	accepted atomic.Int64
}

func (f *far) Accept() (net.Conn, error) {
	conn, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	f.accepted.Add(1)
	c := &farConn{Conn: conn, delay: f.delay, under: make(chan piece, 1<<12), closed: make(chan struct{})}
	go c.deliver()
	return c, nil
}

type piece struct {
	data []byte
	due  time.Time
}

type farConn struct {
	net.Conn
	delay  time.Duration
	under  chan piece
	closed chan struct{}
	once   sync.Once
}

func (c *farConn) Write(p []byte) (int, error) {
	select {
	case c.under <- piece{slices.Clone(p), time.Now().Add(c.delay)}:
		return len(p), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *farConn) deliver() {
	for {
		select {
		case p := <-c.under:
			time.Sleep(time.Until(p.due))
			if _, err := c.Conn.Write(p.data); err != nil {
				return
			}
		case <-c.closed:
			return
		}
	}
}

func (c *farConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// farServer answers one value of 1 KiB over TLS.
func farServer(b testing.TB, delay time.Duration) (*httptest.Server, *far) {
	b.Helper()
	answer := envelope(kib)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, answer)
	}))
	line := &far{Listener: s.Listener, delay: delay}
	s.Listener = line
	s.EnableHTTP2 = true
	s.StartTLS()
	b.Cleanup(s.Close)
	return s, line
}

// BenchmarkProtocols is the client's default transport over TLS to a server that
// is some milliseconds away, by HTTP/2 and by HTTP/1.1. The first requests of all
// callers are in it, with the connections they need: a burst after a cold start.
func BenchmarkProtocols(b *testing.B) {
	for _, delay := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond} {
		for _, callers := range []int{64, 256} {
			for _, http2 := range []bool{true, false} {
				b.Run(fmt.Sprintf("%s/%d callers/http2=%v", delay, callers, http2), func(b *testing.B) {
					s, line := farServer(b, delay)
					tr := client.NewTransport(client.NoLimit)
					tr.TLSClientConfig.RootCAs = x509.NewCertPool()
					tr.TLSClientConfig.RootCAs.AddCert(s.Certificate())
					tr.Protocols.SetHTTP2(http2)
					c := benchClient(b, client.Config{URL: s.URL, HTTPClient: &http.Client{Transport: client.Opening(tr)}})
					crowd(b, c, callers)
					b.ReportMetric(float64(line.accepted.Load()), "connections")
				})
			}
		}
	}
}

// crowd lets callers get a value at the same time, 40 times each, and reports the
// first answers apart from the others.
func crowd(b *testing.B, c *client.Client, callers int) {
	b.Helper()
	const each = 40
	var firsts, rest []time.Duration
	began, cpu := time.Now(), cpuTime(b)
	for b.Loop() {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				took := make([]time.Duration, each)
				for i := range took {
					start := time.Now()
					if _, err := c.Get(b.Context(), "user:1"); err != nil {
						b.Error(err)
						return
					}
					took[i] = time.Since(start)
				}
				mu.Lock()
				defer mu.Unlock()
				firsts, rest = append(firsts, took[0]), append(rest, took[1:]...)
			})
		}
		wg.Wait()
	}
	requests := float64(b.N * callers * each)
	used := cpuTime(b) - cpu
	slices.Sort(firsts)
	slices.Sort(rest)
	b.ReportMetric(requests/time.Since(began).Seconds(), "req/s")
	b.ReportMetric(float64(used.Microseconds())/requests, "cpu-µs/req")
	b.ReportMetric(float64(firsts[len(firsts)/2].Microseconds())/1000, "first-p50-ms")
	b.ReportMetric(float64(rest[len(rest)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(rest[len(rest)*99/100].Microseconds())/1000, "p99-ms")
}
