package ops_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/strategies"
)

// tool finds a program, or skips; RESTASH_REQUIRE lists those that must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && required(name) {
		t.Fatalf("RESTASH_REQUIRE names %s, and there is none", name)
	}
	if err != nil {
		t.Skipf("no %s here", name)
	}
	return path
}

// busy is a Store with answers of every kind, and what holds its routes.
func busy(t *testing.T) (*strategies.Store, http.Handler) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	for _, path := range []string{"/x", "/x", "/x?page=2"} {
		rig.Get(mux, path)
	}
	rig.Get(mux, "/x", "If-Match: *")
	odd := rig.Mount(r.Store, "GET /y", handler.Details.Config("odd\"name\\\n"), rig.Counting(&runs))
	rig.Get(odd, "/y", "Cookie: a=b")
	keep := http.NewServeMux()
	keep.Handle("/x", mux)
	keep.Handle("/y", odd)
	return r.Store, keep
}

// promtool has client_golang's linter in it.
func TestPrometheusTextIsLinted(t *testing.T) {
	promtool := tool(t, "promtool")
	store, keep := busy(t)
	text := rig.Get(ops.Metrics(store), "/", "Accept: text/plain").Body
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	out, err := check.CombinedOutput()
	assert.NoError(t, err, "%s\n%s", out, text)
	assert.Empty(t, string(out))
	assert.NotNil(t, keep)
}

func TestPrometheusHistograms(t *testing.T) {
	store, keep := busy(t)
	text := rig.Get(ops.Metrics(store), "/", "Accept: text/plain").Body
	for _, want := range []string{
		`restash_http_answer_seconds_bucket{preset="list",result="hit",le="+Inf"} 1`,
		`restash_http_answer_seconds_count{preset="list",result="miss"} 2`,
		`restash_http_reasons_total{preset="list",result="bypass",reason="condition"} 1`,
		`restash_http_reasons_total{preset="list",result="miss",reason="uri-miss"} 2`,
		`reason="credentials"} 1`,
	} {
		assert.Contains(t, text, want)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		series, _, _ := strings.Cut(line, "} ")
		assert.False(t, seen[series], "twice: %s", series)
		seen[series] = !strings.HasPrefix(line, "#")
	}
	assert.NotNil(t, keep)
}

// A real Prometheus reads the endpoint, with its secret, and answers queries.
func TestPrometheusScrapes(t *testing.T) {
	prometheus := tool(t, "prometheus")
	store, keep := busy(t)
	app := httptest.NewServer(ops.Metrics(store, ops.Secret("s3cret")))
	defer app.Close()
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 100ms, scrape_timeout: 100ms}\nscrape_configs:\n- job_name: restash\n  authorization: {credentials: s3cret}\n  metrics_path: /\n  static_configs: [{targets: [%q]}]\n",
		strings.TrimPrefix(app.URL, "http://"))
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	var log bytes.Buffer
	run := exec.CommandContext(t.Context(), prometheus, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	run.Stderr = &log
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) }
	require.NoError(t, run.Start())
	defer func() { _ = run.Process.Kill(); _ = run.Wait() }()
	query := "http://" + address + `/api/v1/query?query=restash_http_answer_seconds_count{preset="list",result="miss"}`
	var last string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(query)
		if err != nil {
			continue // it is not up yet
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		var got struct {
			Data struct {
				Result []struct{ Value [2]any }
			}
		}
		if last = string(body); json.Unmarshal(body, &got) == nil && len(got.Data.Result) == 1 {
			assert.Equal(t, "2", got.Data.Result[0].Value[1])
			assert.NotNil(t, keep)
			return
		}
	}
	t.Fatalf("nothing scraped: %s\n%s", last, log.String())
}

// Metrics and dashboard say why the breaker opened, never where Redis is. They show
// times too: the bubble's clock keeps digits of an address out of them.
func TestMetricsShowNoAddress(t *testing.T) {
	for _, text := range []string{
		"dial tcp 10.1.2.3:443: connect: connection refused", "dial tcp [2001:db8::1]:443: i/o timeout",
		"lookup eu1-shy-fox-4711.upstash.io on 10.96.0.10:53: no such host", "lookup redis: no such host",
		`Post "https://eu1-shy-fox-4711.upstash.io/pipeline": EOF`, "dial tcp: address redis:6379: refused",
	} {
		synctest.Test(t, func(t *testing.T) { showsNoAddress(t, text) })
	}
}

func showsNoAddress(t *testing.T, text string) {
	failing := transport(func(*http.Request) (*http.Response, error) { return nil, errors.New(text) })
	c, err := client.New(client.Config{URL: "https://eu1-shy-fox-4711.upstash.io", Token: "t", HTTPClient: &http.Client{Transport: failing}, MaxRetries: -1})
	require.NoError(t, err)
	store := rig.NewStoreOn(t, c)
	var runs atomic.Int64
	mux := rig.Mount(store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	for range 6 {
		rig.Get(mux, "/x")
	}
	require.NotEmpty(t, store.Stats().BreakerCause)
	for _, body := range []string{rig.Get(ops.Metrics(store), "/").Body, rig.Get(ops.Metrics(store), "/", "Accept: text/plain").Body,
		rig.Get(ops.Dashboard(store), "/", "Accept: application/json").Body} {
		for _, secret := range []string{"10.1.2.3", "2001:db8", "upstash.io", "10.96", "shy-fox", "redis:", "6379"} {
			assert.NotContains(t, body, secret, text)
		}
	}
	assert.Contains(t, rig.Get(ops.Metrics(store), "/").Body, `"breaker":"open"`)
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
