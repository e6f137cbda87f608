package pipeline_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/pipeline"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counterServer answers INCRs, alone or in a batch, without doing them: what
// is measured is the way there and back.
func counterServer(b testing.TB) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/" {
			_, _ = io.WriteString(w, `{"result":1}`)
			return
		}
		n := strings.Count(string(body), `["INCR"`)
		_, _ = io.WriteString(w, `[{"result":1}`+strings.Repeat(`,{"result":1}`, n-1)+`]`)
	}))
	b.Cleanup(s.Close)
	return s
}

func benchClient(b testing.TB, cfg client.Config) *client.Client {
	cfg.Token = "t"
	c, err := client.New(cfg)
	require.NoError(b, err)
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// thousand answers a pipeline of 1,000 commands from memory.
type thousand string

func (f thousand) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, Header: http.Header{}, ContentLength: int64(len(f)), Request: r,
		Body: io.NopCloser(strings.NewReader(string(f))),
	}, nil
}

var thousandReplies = thousand(`[{"result":1}` + strings.Repeat(`,{"result":1}`, 999) + `]`)

// TestAllocationsOfAPipeline holds a pipeline of 1,000 commands to 3
// allocations per command, from queueing to reading.
func TestAllocationsOfAPipeline(t *testing.T) {
	c := benchClient(t, client.Config{URL: "https://test.upstash.io", HTTPClient: &http.Client{Transport: thousandReplies}})
	results := make([]*pipeline.Result[int64], 1000)
	n := testing.AllocsPerRun(20, func() {
		p := pipeline.New(c)
		for i := range results {
			results[i] = p.Incr("hits")
		}
		if err := p.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if v, err := r.Value(); err != nil || v != 1 {
				t.Fatal(v, err)
			}
		}
	})
	t.Logf("%.3f per command", n/1000)
	assert.LessOrEqual(t, n, 3000.0)
}

func BenchmarkPipeline1000(b *testing.B) {
	c := benchClient(b, client.Config{URL: counterServer(b).URL})
	b.ReportAllocs()
	for b.Loop() {
		p := pipeline.New(c)
		for range 1000 {
			p.Incr("hits")
		}
		if err := p.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCallers compares 64 callers that each send requests of their own
// with 64 that share an Auto.
func BenchmarkCallers(b *testing.B) {
	s := counterServer(b)
	run := func(b *testing.B, incr func() error) {
		b.ReportAllocs()
		b.SetParallelism(32) // times GOMAXPROCS of 2: 64 callers
		var failed atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if incr() != nil {
					failed.Add(1)
				}
			}
		})
		if failed.Load() > 0 {
			b.Fatalf("%d failed", failed.Load())
		}
	}
	b.Run("alone", func(b *testing.B) {
		c := benchClient(b, client.Config{URL: s.URL})
		run(b, func() error { _, err := c.Incr(b.Context(), "hits"); return err })
	})
	b.Run("auto", func(b *testing.B) {
		a := pipeline.NewAuto(benchClient(b, client.Config{URL: s.URL}))
		run(b, func() error { _, err := a.Incr(b.Context(), "hits"); return err })
	})
}
