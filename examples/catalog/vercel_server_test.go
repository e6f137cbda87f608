//go:build unix

package catalog_test

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// vercelProxy is where Vercel's proxy listens; nothing can move it.
const vercelProxy = "127.0.0.1:3000"

// vercelServer starts examples/vercel-server as the platform does: by the proxy
// that the builder puts beside it, which starts the server.
func vercelServer(t *testing.T, env ...string) {
	t.Helper()
	folder := filepath.Join(vercelFunctions(t), "server")
	require.Eventually(t, func() bool {
		l, err := net.Listen("tcp", vercelProxy)
		return err == nil && l.Close() == nil
	}, time.Minute, 100*time.Millisecond, "something else listens on "+vercelProxy)
	cmd := exec.Command("./executable")
	cmd.Dir, cmd.SysProcAttr = folder, &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(env, "VERCEL=1", "VERCEL_ENV=production", "AWS_LAMBDA_FUNCTION_NAME=f")
	var logs strings.Builder
	cmd.Stdout, cmd.Stderr = &logs, &logs
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the proxy and what it started
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(logs.String())
		}
	})
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + vercelProxy + "/_vercel/ping")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == 200
	}, 30*time.Second, 20*time.Millisecond)
}

// ask sends a request to the server through the proxy.
func ask(t *testing.T, method, path, body, bearer string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+vercelProxy+path, strings.NewReader(body))
	require.NoError(t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, string(answer)
}

func TestVercelServerAsTheBuilderMakesIt(t *testing.T) {
	vercelFunctions(t)
	server := upstashtest.Run(t)
	vercelServer(t, vercelEnv(t, server, schemaOfPostgres(t))...)

	status, header, first := ask(t, "GET", "/api/extensions?sort=downloads", "", "")
	require.Equal(t, 200, status, first)
	assert.Equal(t, "MISS", header.Get("X-Cache"))
	status, header, second := ask(t, "GET", "/api/extensions", "", "")
	require.Equal(t, 200, status)
	assert.Equal(t, "HIT", header.Get("X-Cache"), "it was stored before the answer ended")
	assert.Equal(t, first, second)

	item := `{"name":"@ada/engine","version":"1.0.0","category":"devtools"}`
	status, _, body := ask(t, "POST", "/api/extensions", item, "")
	assert.Equal(t, 403, status, body)
	status, header, body = ask(t, "POST", "/api/extensions", item, "write")
	require.Equal(t, 201, status, body)
	assert.Equal(t, "done", header.Get("X-Cache-Invalidation"))
	_, header, body = ask(t, "GET", "/api/extensions?sort=recent", "", "")
	assert.Equal(t, "MISS", header.Get("X-Cache"))
	assert.Contains(t, body, `"ada-engine"`)

	status, _, body = ask(t, "GET", "/api/cron/warm", "", "")
	assert.Equal(t, 401, status, body)
	status, _, body = ask(t, "GET", "/api/cron/warm", "", "cron")
	require.Equal(t, 200, status, body)
	_, header, _ = ask(t, "GET", "/api/mcp?sort=rating", "", "")
	assert.Equal(t, "HIT", header.Get("X-Cache"), "the cron warmed it")
	_, _, body = ask(t, "GET", "/api/cache/metrics", "", "")
	assert.Contains(t, body, `"scope":"fleet"`)

	var crowd sync.WaitGroup // one process answers many at a time
	for range 64 {
		crowd.Go(func() {
			status, _, body := ask(t, "GET", "/api/extensions", "", "")
			assert.Equal(t, 200, status, body)
		})
	}
	crowd.Wait()
}

func TestVercelServerWithoutDatabaseGoesOn(t *testing.T) {
	vercelFunctions(t)
	vercelServer(t, "CRON_SECRET=x")
	for range 2 {
		status, header, body := ask(t, "GET", "/api/extensions", "", "")
		assert.Equal(t, 503, status, body)
		assert.Equal(t, "application/json; charset=utf-8", header.Get("Content-Type"))
	}
}
