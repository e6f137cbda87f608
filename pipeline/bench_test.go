package pipeline_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
