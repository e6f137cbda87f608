package catalog_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// startVercelDev starts a function as `vercel dev` does and returns its address.
func startVercelDev(t *testing.T, entrypoint string, env ...string) string {
	t.Helper()
	vercelFunctions(t) // says where this runs
	command := strings.Fields(os.Getenv("RESTASH_TEST_VERCEL_DEV"))
	require.Len(t, command, 3, "node, its script and the project")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // it compiles
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], entrypoint)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if port, found := strings.CutPrefix(lines.Text(), "port "); found {
			return "http://127.0.0.1:" + port
		}
	}
	require.FailNow(t, "vercel dev could not start "+entrypoint)
	return ""
}

func TestVercelDevBuildsEachFunction(t *testing.T) {
	vercelFunctions(t)
	server := upstashtest.Run(t)
	env := vercelEnv(t, server, schemaOfPostgres(t))
	index := startVercelDev(t, "api/index.go", env...)
	assert.Equal(t, "MISS", cacheOf(t, index+"/api/extensions"))
	assert.Eventually(t, func() bool { return cacheOf(t, index+"/api/extensions") == "HIT" }, 10*time.Second, 10*time.Millisecond,
		"a miss is stored behind its answer")
	resp, err := http.Get(startVercelDev(t, "api/cron/warm.go", env...) + "/api/cron/warm")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 401, resp.StatusCode, "without its secret")
}

// cacheOf asks for a list and returns its X-Cache.
func cacheOf(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 200, resp.StatusCode, "%s", body)
	return resp.Header.Get("X-Cache")
}
