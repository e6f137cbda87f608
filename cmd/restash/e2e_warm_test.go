//go:build !race

package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runs runs the program to its end and returns what it printed.
func runs(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errOut lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// A deployment's namespace comes from VERCEL_ENV, which a shell does not have:
// what warm fills from there, nobody would read.
func TestWarmFillsTheNamespaceThatIsRead(t *testing.T) {
	d := dev(t, []string{"VERCEL_ENV=production"})
	const path = "/api/categories"
	assert.Contains(t, strings.Join(d.output, "\n"), "go run ./cmd/restash warm --namespace restash-production")

	status, out, errOut := runs(t, d.env, "warm")
	assert.Equal(t, 1, status, out)
	assert.Equal(t, "restash: warm: nobody uses the namespace restash in this database, but restash-production: name one with --namespace\n", errOut)
	status, _, errOut = runs(t, d.env, "warm", "--reader", d.url)
	assert.Equal(t, 1, status)
	assert.Contains(t, errOut, "would find nothing of restash: use --namespace restash-production")
	status, out, errOut = runs(t, d.env, "warm", "--namespace", "restash") // it was said
	assert.Zero(t, status, errOut)
	assert.Contains(t, out, "namespace restash\n")
	d.expect(miss, path)

	status, out, errOut = runs(t, append(d.env, "VERCEL_ENV=preview"), "warm", "--namespace", "restash-production", "--reader", d.url, "--json")
	require.Zero(t, status, errOut)
	var report struct {
		Namespace string
		Failed    int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	assert.Equal(t, "restash-production", report.Namespace)
	d.expect(hit, "/api/stats")
	status, out, errOut = runs(t, append(d.env, "VERCEL_ENV=production"), "warm")
	assert.Zero(t, status, errOut)
	assert.Contains(t, out, "namespace restash-production\n")
}

func TestWarmAReaderThatTellsNothingStopsIt(t *testing.T) {
	d := dev(t, nil)
	for reader, want := range map[string]string{
		d.rest:                       "does not tell its namespace",
		"http://127.0.0.1:1":         "connection refused",
		"http://catalog.example.com": "https://",
	} {
		status, out, errOut := runs(t, d.env, "warm", "--reader", reader)
		assert.Equal(t, 1, status, out)
		assert.Contains(t, errOut, want)
	}
}

func TestWarmGoesOnWhereItEnded(t *testing.T) {
	d := dev(t, nil)
	status, out, errOut := runs(t, d.env, "warm", "--commands", "15", "--json")
	assert.Equal(t, 1, status, errOut)
	var part struct {
		Next             string
		Warmed, Commands int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &part), out)
	require.NotEmpty(t, part.Next)
	assert.LessOrEqual(t, part.Commands, 17)
	status, out, errOut = runs(t, d.env, "warm", "--from", part.Next, "--concurrency", "3")
	assert.Zero(t, status, errOut)
	assert.Contains(t, out, "failed 0")
	for _, path := range warmedPaths(t, d) {
		d.expect(hit, path)
	}
}

// stalls is a way to Redis on which one request, the nth, is never answered. The
// channel is closed when it has come.
func stalls(t *testing.T, rest string, nth int32) (address string, stalled <-chan struct{}) {
	t.Helper()
	target, err := url.Parse(rest)
	require.NoError(t, err)
	proxy, come, end := httputil.NewSingleHostReverseProxy(target), make(chan struct{}), make(chan struct{})
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == nth {
			close(come)
			<-end
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(end) })
	return server.URL, come
}

// interrupted runs warm and presses Ctrl-C while its nth request waits for Redis.
func interrupted(t *testing.T, d *running, nth int32) (stdout, stderr string) {
	t.Helper()
	address, stalled := stalls(t, d.rest, nth)
	cmd := command(t, append(d.env, "UPSTASH_REDIS_REST_URL="+address), "warm")
	var out, errOut lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	select {
	case <-stalled:
	case <-time.After(30 * time.Second):
		require.FailNow(t, "it sends too few requests", "%s%s", &out, &errOut)
	}
	began := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	assert.Less(t, time.Since(began), 10*time.Second, "it waits neither for the request nor for the load")
	assert.Equal(t, 130, cmd.ProcessState.ExitCode(), "as shells count it")
	return out.String(), errOut.String()
}

// Who presses Ctrl-C learns what was done and how to go on, and nothing is lost:
// what the program says is what it takes.
func TestWarmInterruptedSaysHowToGoOn(t *testing.T) {
	d := dev(t, nil)
	out, errOut := interrupted(t, d, 1)
	assert.Contains(t, out, "warmed 0, fresh 0, failed 0")
	assert.Equal(t, "restash: warm: interrupted; nothing was done\n", errOut)

	out, errOut = interrupted(t, d, 12) // of about thirty
	assert.Regexp(t, `(?m)^warmed [1-9]\d*, fresh \d+, failed 0, commands \d+, trips \d+, \d+ bytes in .*\n$`, out)
	said, found := strings.CutPrefix(errOut, "restash: warm: interrupted; what is stored stays; go on with: restash ")
	require.True(t, found, errOut)
	goOn := strings.Fields(said)
	assert.Equal(t, []string{"warm", "--namespace", "restash", "--from"}, goOn[:4])
	status, rest, problem := runs(t, d.env, goOn...)
	require.Zero(t, status, problem)
	assert.Contains(t, rest, "failed 0")
	for _, path := range warmedPaths(t, d) {
		d.expect(hit, path)
	}
}
