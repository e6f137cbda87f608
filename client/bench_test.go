package client_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const kib = 1 << 10

// fixed answers every request with the same body, from memory.
type fixed string

func (f fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(f)),
		Body: io.NopCloser(strings.NewReader(string(f))), Request: r,
	}, nil
}

// fixedServer answers over a socket.
func fixedServer(b testing.TB, body string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(s.Close)
	return s
}

// batchServer answers each GET, alone or in a batch, with the same envelope.
func batchServer(b testing.TB, one string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/" {
			_, _ = io.WriteString(w, one)
			return
		}
		n := bytes.Count(body, []byte(`["GET"`))
		_, _ = io.WriteString(w, "["+one+strings.Repeat(","+one, n-1)+"]")
	}))
	b.Cleanup(s.Close)
	return s
}

func benchClient(b testing.TB, cfg client.Config) *client.Client {
	if cfg.URL == "" {
		cfg.URL = "https://test.upstash.io"
	}
	cfg.Token = "t"
	c, err := client.New(cfg)
	require.NoError(b, err)
	b.Cleanup(func() { _ = c.Close() })
	return c
}

func value(n int) string { return strings.Repeat("x", n) }

func envelope(n int) string {
	return `{"result":"` + base64.StdEncoding.EncodeToString([]byte(value(n))) + `"}`
}

// post is what a program without an SDK would do at least: it sends the same
// bytes, header included, and reads the answer.
func post(ctx context.Context, hc *http.Client, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer t")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Upstash-Encoding", "base64")
	req.Header.Set("Upstash-Sync-Token", "")
	req.Header.Set("User-Agent", "restash/"+client.Version())
	req.Header.Set("Upstash-Telemetry-Sdk", "restash-go@"+client.Version())
	req.Header.Set("Upstash-Telemetry-Platform", "unknown")
	req.Header.Set("Upstash-Telemetry-Runtime", "go@go1.26.8")
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

func BenchmarkSingle(b *testing.B) {
	s := fixedServer(b, envelope(kib))
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := post(b.Context(), http.DefaultClient, s.URL+"/", `["GET","user:1"]`); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("client", func(b *testing.B) {
		c := benchClient(b, client.Config{URL: s.URL})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Get(b.Context(), "user:1"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSingleBesideBare takes turns, so that both meet the same machine,
// and reports the ratio of the medians.
func BenchmarkSingleBesideBare(b *testing.B) {
	s := fixedServer(b, envelope(kib))
	c := benchClient(b, client.Config{URL: s.URL})
	var bare, ours []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := post(b.Context(), http.DefaultClient, s.URL+"/", `["GET","user:1"]`); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if _, err := c.Get(b.Context(), "user:1"); err != nil {
			b.Fatal(err)
		}
		bare, ours = append(bare, middle.Sub(start)), append(ours, time.Since(middle))
	}
	slices.Sort(bare)
	slices.Sort(ours)
	b.ReportMetric(float64(ours[len(ours)/2])/float64(bare[len(bare)/2]), "ratio")
}

// TestAllocationsOfASingleCommand holds the client to at most 20 allocations
// more than a bare POST over the same transport.
func TestAllocationsOfASingleCommand(t *testing.T) {
	tr := fixed(envelope(100))
	hc := &http.Client{Transport: tr}
	bare := testing.AllocsPerRun(200, func() {
		if err := post(t.Context(), hc, "https://test.upstash.io/", `["GET","user:1"]`); err != nil {
			t.Fatal(err)
		}
	})
	c := benchClient(t, client.Config{HTTPClient: hc})
	ours := testing.AllocsPerRun(200, func() {
		if _, err := c.Get(t.Context(), "user:1"); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("bare %.0f, client %.0f", bare, ours)
	assert.LessOrEqual(t, ours, bare+20)
}

// BenchmarkReply reads one value of each size in both formats. The server is
// in memory: what differs is the reading.
func BenchmarkReply(b *testing.B) {
	for _, n := range []int{100, kib, 100 * kib, 1024 * kib} {
		for name, format := range map[string]client.Encoding{"base64": client.JSON, "resp2": client.RESP2} {
			body := envelope(n)
			if format == client.RESP2 {
				body = fmt.Sprintf("$%d\r\n%s\r\n", n, value(n))
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				c := benchClient(b, client.Config{Encoding: format, HTTPClient: &http.Client{Transport: fixed(body)}})
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Get(b.Context(), "k"); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, n := range []int{10, kib, 100 * kib} {
		args := []string{"SET", "user:1", value(n), "EX", "300"}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			buf := make([]byte, 0, 2*n+100)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = client.AppendArgs(buf[:0], args)
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	for _, n := range []int{10, kib, 100 * kib} {
		body := []byte(envelope(n))
		scratch := make([]byte, len(body))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				copy(scratch, body)
				if r, err := client.ScanOne(scratch); err != nil || len(r.Bytes) != n {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestScanningASingleStringAllocatesNothing(t *testing.T) {
	body := []byte(envelope(kib))
	scratch := bytes.Clone(body)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		copy(scratch, body)
		if _, err := client.ScanOne(scratch); err != nil {
			t.Fatal(err)
		}
	}))
	dst := make([]byte, 0, 4*kib)
	args := []string{"SET", "k", value(kib)}
	assert.Zero(t, testing.AllocsPerRun(100, func() { dst, _ = client.AppendArgs(dst[:0], args) }))
}

func TestMakingACommandIsCheap(t *testing.T) {
	var sink command.Command[string]
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { sink = command.Get("k") }), 1.0)
	_ = sink
}
