package upstashtest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
)

// constant is an engine that always answers the same: what is left is the
// protocol.
type constant struct{ v command.Reply }

func (c constant) Do(context.Context, []string) (upstashtest.Result, error) {
	return upstashtest.Result{Reply: c.v}, nil
}

func (c constant) Transaction(_ context.Context, cmds [][]string) ([]upstashtest.Result, command.Reply, error) {
	return make([]upstashtest.Result, len(cmds)), command.Reply{}, nil
}

func (c constant) Subscribe(context.Context, upstashtest.Stream) (upstashtest.Subscription, error) {
	return nil, io.EOF
}

func (c constant) Close() error { return nil }

var value = strings.Repeat("x", 1024)

func newConstant(t testing.TB) *upstashtest.Server {
	return upstashtest.Run(t, func(c *upstashtest.Config) {
		c.Engine = constant{command.Reply{Kind: command.KindBulk, Bytes: []byte(value)}}
	})
}

// bare reads the body and writes the same bytes: what HTTP itself costs.
func bare(t testing.TB) *httptest.Server {
	answer := []byte(`{"result":"` + value + `"}`)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func roundTrip(t testing.TB, c *http.Client, url, token string, body []byte) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func BenchmarkProtocol(b *testing.B) {
	body := []byte(`["GET","some:key:of:usual:length"]`)
	b.Run("bare", func(b *testing.B) {
		s := bare(b)
		b.ReportAllocs()
		for b.Loop() {
			roundTrip(b, s.Client(), s.URL, "t", body)
		}
	})
	b.Run("constant", func(b *testing.B) {
		s := newConstant(b)
		b.ReportAllocs()
		for b.Loop() {
			roundTrip(b, s.HTTPClient(), s.URL, s.Token, body)
		}
	})
	b.Run("memory", func(b *testing.B) {
		s := upstashtest.Run(b)
		b.ReportAllocs()
		for b.Loop() {
			roundTrip(b, s.HTTPClient(), s.URL, s.Token, body)
		}
	})
	b.Run("memory without a socket", func(b *testing.B) {
		s := upstashtest.Run(b, func(c *upstashtest.Config) { c.InMemory = true })
		b.ReportAllocs()
		for b.Loop() {
			roundTrip(b, s.HTTPClient(), s.URL, s.Token, body)
		}
	})
}

func pipelineBody(n int) []byte {
	cmds := make([]string, n)
	for i := range cmds {
		cmds[i] = fmt.Sprintf(`["SET","key:%d","value","EX","300"]`, i)
	}
	return []byte("[" + strings.Join(cmds, ",") + "]")
}

// BenchmarkProtocolRatio is the protocol beside a bare handler, in one run.
func BenchmarkProtocolRatio(b *testing.B) {
	ratio := 0.0
	for b.Loop() {
		ratio = protocolRatio(b)
	}
	b.ReportMetric(ratio, "x-bare")
}

// protocolRatio is what a request costs, as a multiple of what it costs at a bare
// handler. The two take turns, request by request, and the median of their ratios
// counts: what a busy machine adds meets both sides, or few of the pairs.
func protocolRatio(t testing.TB) float64 {
	plain, constant := bare(t), newConstant(t)
	body := []byte(`["GET","some:key:of:usual:length"]`)
	ratios := make([]float64, 2000)
	for i := range ratios {
		without := fastest(1, func() { roundTrip(t, plain.Client(), plain.URL, "t", body) })
		with := fastest(1, func() { roundTrip(t, constant.HTTPClient(), constant.URL, constant.Token, body) })
		ratios[i] = float64(with) / float64(without)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func BenchmarkPipeline(b *testing.B) {
	s := upstashtest.Run(b)
	body := pipelineBody(100)
	b.ReportAllocs()
	for b.Loop() {
		roundTrip(b, s.HTTPClient(), s.URL+"/pipeline", s.Token, body)
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "commands/s")
}

func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, err := upstashtest.New(upstashtest.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// fastest is the least time of several runs: what a busy machine adds is not
// what is measured.
func fastest(runs int, f func()) time.Duration {
	best := time.Duration(1 << 62)
	for range runs {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// The promises of speed. Each is the best of several runs: a busy machine adds
// to all of them, the code takes away from none.
func TestSpeed(t *testing.T) {
	if testing.Short() || racing {
		t.Skip("measures time")
	}
	t.Run("ready in 1 ms", func(t *testing.T) {
		took := fastest(50, func() {
			s, err := upstashtest.New(upstashtest.Config{})
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
		t.Log(took)
		assert.Less(t, took, time.Millisecond)
	})
	t.Run("100,000 pipelined commands a second", func(t *testing.T) {
		s := upstashtest.Run(t)
		body := pipelineBody(1000)
		took := fastest(50, func() { roundTrip(t, s.HTTPClient(), s.URL+"/pipeline", s.Token, body) })
		t.Logf("%.0f a second", 1000/took.Seconds())
		assert.Less(t, took, 10*time.Millisecond)
	})
	t.Run("protocol 1.2 times bare HTTP", func(t *testing.T) {
		ratio := protocolRatio(t)
		t.Logf("%.2f times bare HTTP", ratio)
		assert.LessOrEqual(t, ratio, 1.2)
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// One server takes less than 256 KiB, so that every test can have its own.
func TestAThousandServers(t *testing.T) {
	const n = 1000
	goroutines, before := runtime.NumGoroutine(), heap()
	servers := make([]*upstashtest.Server, n)
	for i := range servers {
		s, err := upstashtest.New(upstashtest.Config{})
		require.NoError(t, err)
		servers[i] = s
		_, err = s.Do("SET", "k", "v", "EX", "100")
		require.NoError(t, err)
	}
	each := (heap() - before) / n
	t.Logf("%d KiB and %.1f goroutines each", each>>10, float64(runtime.NumGoroutine()-goroutines)/n)
	assert.Less(t, each, uint64(256<<10))
	assert.LessOrEqual(t, runtime.NumGoroutine()-goroutines, n+10, "the listener's, and no ticker")
	for _, s := range servers {
		require.NoError(t, s.Close())
	}
}
