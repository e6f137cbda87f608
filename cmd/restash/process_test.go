//go:build !race

package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The end-to-end tests start the real program and speak real HTTP to it. The
// race detector would only see this file, so it is left out there.

var binaryDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "restash-e2e-")
	if err != nil {
		panic(err)
	}
	binaryDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// build compiles the program once for all tests.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "restash")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// process is a started program.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string
	stderr *lockedBuffer
	done   chan struct{}
	once   sync.Once
}

// lockedBuffer may be read while the process still writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// command prepares the program with env beside a cleaned environment.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := build()
	require.NoError(t, err, "go build")
	cmd := exec.Command(binary, args...)
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(name, "UPSTASH_"), strings.HasPrefix(name, "KV_"), strings.HasPrefix(name, "RESTASH_"),
			strings.HasPrefix(name, "CATALOG_"), strings.HasPrefix(name, "VERCEL"), name == "DATABASE_URL":
		default:
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// start runs the program until the test ends.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: command(t, env, args...), lines: make(chan string, 100), stderr: &lockedBuffer{}, done: make(chan struct{})}
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.cmd.Stderr = p.stderr
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		defer close(p.lines)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() { p.end(syscall.SIGTERM) })
	return p
}

// end signals the process, waits for it and returns its exit status.
func (p *process) end(signal syscall.Signal) int {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(signal)
		<-p.done
		_ = p.cmd.Wait()
	})
	return p.cmd.ProcessState.ExitCode()
}

// until returns all lines up to the first that matches.
func (p *process) until(pattern string) []string {
	p.t.Helper()
	match := regexp.MustCompile(pattern)
	limit := time.After(60 * time.Second)
	var all []string
	for {
		select {
		case line, ok := <-p.lines:
			require.Truef(p.t, ok, "ended before %q: %s\n%s", pattern, strings.Join(all, "\n"), p.stderr)
			if all = append(all, line); match.MatchString(line) {
				return all
			}
		case <-limit:
			require.FailNowf(p.t, "no line in time", "%q in %s\n%s", pattern, strings.Join(all, "\n"), p.stderr)
		}
	}
}

// running is a `restash dev` that is ready.
type running struct {
	*process
	t      *testing.T
	url    string   // of the routes
	rest   string   // of the local REST server, empty without one
	token  string   // of the local REST server
	env    []string // of the printed line for a second terminal
	output []string
}

var (
	routesLine  = regexp.MustCompile(`^  routes +(http://\S+)$`)
	warmLine    = regexp.MustCompile(`^  (.*)go run \./cmd/restash warm( --namespace \S+)?$`)
	answersLine = regexp.MustCompile(`^  GET /api/extensions\?category=devtools +([A-Z]+) +\d+\.\d+ ms$`)
)

// dev starts `restash dev` on free ports.
func dev(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	args = append([]string{"dev", "--addr", "127.0.0.1:0", "--rest-addr", "127.0.0.1:0"}, args...)
	d := &running{t: t, process: start(t, env, args...)}
	d.output = d.until(`^Ctrl-C`)
	for _, line := range d.output {
		if m := routesLine.FindStringSubmatch(line); m != nil {
			d.url = m[1]
		}
		if m := warmLine.FindStringSubmatch(line); m != nil {
			d.env = strings.Fields(m[1])
		}
	}
	for _, entry := range d.env {
		switch name, value, _ := strings.Cut(entry, "="); name {
		case "UPSTASH_REDIS_REST_URL":
			d.rest = value
		case "UPSTASH_REDIS_REST_TOKEN":
			d.token = value
		}
	}
	require.NotEmpty(t, d.url, strings.Join(d.output, "\n"))
	return d
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (a answer) state() string { return a.header.Get("X-Cache") }

// send makes one request; edit may change it first.
func send(t *testing.T, method, url, body string, edit ...func(*http.Request)) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, f := range edit {
		f(req)
	}
	begin := time.Now()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(content), took: time.Since(begin)}
}

func (d *running) get(path string, edit ...func(*http.Request)) answer {
	d.t.Helper()
	return send(d.t, http.MethodGet, d.url+path, "", edit...)
}

// expect asks for a path that must be answered with 200 in the given state. A
// miss is stored behind its answer: expect returns when that is done.
func (d *running) expect(state, path string) answer {
	d.t.Helper()
	var before bill
	if state == miss {
		before = d.bill()
	}
	a := d.get(path)
	assert.Equal(d.t, http.StatusOK, a.status, path)
	assert.Equal(d.t, state, a.state(), path)
	if state == miss && a.state() == miss {
		require.Eventually(d.t, func() bool { return d.bill().Commands >= before.Commands+2 }, 5*time.Second, time.Millisecond, "%s is not stored", path)
	}
	return a
}

// bill is the answer of /_restash/bill.
type bill struct {
	Commands, Trips, BytesIn, BytesOut int64
}

func (d *running) bill() bill {
	d.t.Helper()
	return readBill(d.t, d.rest, d.token)
}

func readBill(t *testing.T, url, token string) bill {
	t.Helper()
	a := send(t, http.MethodGet, url+"/_restash/bill", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	require.Equal(t, http.StatusOK, a.status, a.body)
	var b bill
	require.NoError(t, json.Unmarshal([]byte(a.body), &b))
	return b
}

// cost runs f and returns what Upstash would have billed for it.
func (d *running) cost(f func()) (commands, trips int64) {
	d.t.Helper()
	before := d.bill()
	f()
	after := d.bill()
	return after.Commands - before.Commands, after.Trips - before.Trips
}

// metrics is what the metrics endpoint tells of.
type metrics struct {
	Metrics map[string]float64 `json:"metrics"`
	Cache   struct {
		Breaker, BreakerCause string
		Pending               int
	} `json:"cache"`
}

func (d *running) metrics() metrics {
	d.t.Helper()
	a := d.get("/api/cache/metrics")
	require.Equal(d.t, http.StatusOK, a.status, a.body)
	var m metrics
	require.NoError(d.t, json.Unmarshal([]byte(a.body), &m), a.body)
	return m
}
