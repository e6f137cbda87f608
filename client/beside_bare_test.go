package client_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// BenchmarkBesideBare compares the client with a bare one that posts the same bytes,
// header and body, and reads the answer into a buffer of the right size. The two take turns; x-bare is the
// ratio of the medians of their times, cpu-x-bare that of what the process computed
// for each, the server among it.
func BenchmarkBesideBare(b *testing.B) {
	for _, size := range []int{kib, 100 * kib} {
		for _, length := range []string{"known", "chunked"} {
			for _, callers := range []int{1, 64} {
				b.Run(fmt.Sprintf("GET %d KiB/%s/%d", size/kib, length, callers), func(b *testing.B) {
					besideBare(b, envelope(size), length == "known", callers, `["GET","k"]`, "/", func(c *client.Client) error {
						_, err := c.Get(b.Context(), "k")
						return err
					})
				})
			}
		}
		for _, callers := range []int{1, 64} {
			if size > kib && callers > 1 {
				continue // 640 MiB a round
			}
			b.Run(fmt.Sprintf("pipeline of 100 GET %d KiB/%d", size/kib, callers), func(b *testing.B) {
				cmds := slices.Repeat([]command.Cmd{command.Get("k")}, 100)
				one := envelope(size)
				body := "[" + one + strings.Repeat(","+one, 99) + "]"
				ask := "[" + strings.TrimSuffix(strings.Repeat(`["GET","k"],`, 100), ",") + "]"
				besideBare(b, body, false, callers, ask, "/pipeline", func(c *client.Client) error {
					_, err := c.Batch(b.Context(), cmds...)
					return err
				})
			})
		}
	}
}

func besideBare(b *testing.B, body string, known bool, callers int, ask, path string, call func(c *client.Client) error) {
	var header atomic.Pointer[http.Header]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if header.Load() == nil && r.Header.Get("Authorization") != "" {
			h := r.Header.Clone()
			h.Del("Content-Length")
			h.Del("Accept-Encoding")
			header.Store(&h)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if known {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		_, _ = io.WriteString(w, body)
	}))
	defer srv.Close()
	c := benchClient(b, client.Config{URL: srv.URL})
	hc := &http.Client{Transport: client.NewTransport(client.NoLimit)}
	defer hc.CloseIdleConnections()
	require.NoError(b, call(c))
	bare := func() error { return postInto(b, hc, srv.URL+path, ask, *header.Load(), len(body)) }
	var without, with []time.Duration
	var cpuWithout, cpuWith time.Duration
	for b.Loop() {
		began := cpuTime(b)
		without = append(without, together(b, callers, bare))
		between := cpuTime(b)
		with = append(with, together(b, callers, func() error { return call(c) }))
		cpuWithout, cpuWith = cpuWithout+between-began, cpuWith+cpuTime(b)-between
	}
	slices.Sort(without)
	slices.Sort(with)
	b.ReportMetric(float64(with[len(with)/2])/float64(without[len(without)/2]), "x-bare")
	if cpuWithout > 0 {
		b.ReportMetric(float64(cpuWith)/float64(cpuWithout), "cpu-x-bare")
	}
}

// together is how long all callers take for one call each.
func together(b *testing.B, callers int, call func() error) time.Duration {
	start := time.Now()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			if err := call(); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

func postInto(b *testing.B, hc *http.Client, url, body string, header http.Header, size int) error {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	buf := make([]byte, size)
	if _, err := io.ReadFull(resp.Body, buf); err != nil {
		return err
	}
	_, err = resp.Body.Read(buf) // its end
	if err == io.EOF {
		return nil
	}
	return err
}

// What a caller was given stays as it is while others read answers of unknown length:
// no reply shows a buffer that is used again.
func TestRepliesAreNotReadOver(t *testing.T) {
	var header atomic.Pointer[http.Header]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if header.Load() == nil && r.Header.Get("Authorization") != "" {
			h := r.Header.Clone()
			h.Del("Content-Length")
			h.Del("Accept-Encoding")
			header.Store(&h)
		}
		body, _ := io.ReadAll(r.Body)
		key := strings.Split(string(body), `"`)[3]
		_, _ = io.WriteString(w, "[{\"result\":\""+base64.StdEncoding.EncodeToString([]byte(strings.Repeat(key, 1000)))+"\"}]")
		_ = http.NewResponseController(w).Flush() // chunked
	}))
	defer srv.Close()
	c := benchClient(t, client.Config{URL: srv.URL})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			key := string(rune('a' + worker))
			var kept [][]byte
			for range 50 {
				replies, err := c.Batch(t.Context(), command.Get(key))
				require.NoError(t, err)
				kept = append(kept, replies[0].Bytes)
			}
			for _, b := range kept {
				assert.Equal(t, strings.Repeat(key, 1000), string(b))
			}
		})
	}
	group.Wait()
}
