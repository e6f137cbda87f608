//go:build !race

package main_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
)

// served starts `restash serve` and returns the client that its printed
// variables make.
func served(t *testing.T, env []string, args ...string) (*process, *client.Client) {
	t.Helper()
	p := start(t, env, append([]string{"serve"}, args...)...)
	lines := p.until(`^UPSTASH_REDIS_REST_URL=`)
	fields := strings.Fields(lines[len(lines)-1])
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		t.Setenv(name, value)
	}
	c, err := client.FromEnv()
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

// freePort is a port that nobody listens on, for now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// The printed variables work in the module's own client, whatever the address.
func TestServePrintsVariablesThatWork(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "127.0.0.1:0", "localhost:0"} {
		_, c := served(t, nil, "--addr", addr)
		_, err := c.Set(t.Context(), "k", "v")
		require.NoError(t, err, addr)
	}
}

// The whole of it by environment alone, and a flag counts more.
func TestServeEnvironment(t *testing.T) {
	port := freePort(t)
	env := []string{"RESTASH_ADDR=127.0.0.1:1", "RESTASH_TOKEN=all", "RESTASH_READ_ONLY_TOKEN=look", "RESTASH_PLAN=vercel-kv", "RESTASH_LATENCY=50ms"}
	_, c := served(t, env, "--addr", "127.0.0.1:"+port)
	begin := time.Now()
	_, err := c.Set(t.Context(), "k", "v")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond, "RESTASH_LATENCY")
	look, err := client.New(client.Config{URL: "http://127.0.0.1:" + port, Token: "look"})
	require.NoError(t, err)
	defer look.Close()
	v, err := look.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, "v", v)
	_, err = look.Set(t.Context(), "k", "w")
	require.ErrorIs(t, err, client.ErrPermission)
	check := command(t, env, "serve", "--check", "--addr", ":"+port)
	out, err := check.Output()
	require.NoError(t, err)
	assert.JSONEq(t, `{"status":"ok"}`, string(out))
	assert.Error(t, command(t, nil, "serve", "--check", "--addr", "127.0.0.1:1").Run())
}

// A compose file for serverless-redis-http: its variables, and the image of
// this program.
func TestServeVariablesOfSRH(t *testing.T) {
	port := freePort(t)
	env := []string{"SRH_MODE=env", "SRH_TOKEN=example_token", "SRH_PORT=" + port}
	p, c := served(t, env)
	_, err := c.Set(t.Context(), "k", "v")
	require.NoError(t, err)
	assert.Equal(t, "example_token", os.Getenv("UPSTASH_REDIS_REST_TOKEN"))
	assert.Equal(t, "http://127.0.0.1:"+port, os.Getenv("UPSTASH_REDIS_REST_URL"))
	p.end(syscall.SIGTERM)
	for _, wrong := range [][]string{{"SRH_MODE=file"}, {"RESTASH_PLAN=bogus"}, {"RESTASH_LATENCY=soon"}, {"RESTASH_DATA=x", "RESTASH_REDIS=redis://127.0.0.1:1"}} {
		cmd := command(t, wrong, "serve")
		out, err := cmd.CombinedOutput()
		require.Error(t, err, string(out))
		assert.Equal(t, 2, cmd.ProcessState.ExitCode(), string(out))
	}
}

// What --data names is loaded at the start and written at the end.
func TestServeData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.redis")
	require.NoError(t, os.WriteFile(path, []byte("# seed\nSET greeting \"hello there\"\nRPUSH l a b\n"), 0o600))
	p, c := served(t, nil, "--addr", "127.0.0.1:0", "--data", path)
	v, err := c.Get(t.Context(), "greeting")
	require.NoError(t, err)
	assert.Equal(t, "hello there", v)
	_, err = c.RPush(t.Context(), "l", "c\n")
	require.NoError(t, err)
	assert.Equal(t, 0, p.end(syscall.SIGTERM), p.stderr)
	saved, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "SET greeting \"hello there\"\nRPUSH l a b \"c\\n\"\n", string(saved))
	require.NoError(t, os.WriteFile(path, []byte("SET a\n"), 0o600))
	out, err := command(t, nil, "serve", "--addr", "127.0.0.1:0", "--data", path).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "line 1: ERR wrong number")
}

// The same number disturbs the same requests.
func TestServeSeedFaults(t *testing.T) {
	disturbed := func(seed string) string {
		_, _ = served(t, nil, "--addr", "127.0.0.1:0", "--token", "t", "--seed-faults", seed)
		base := os.Getenv("UPSTASH_REDIS_REST_URL")
		var b strings.Builder
		for range 60 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/incr/n", nil)
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer t")
			resp, err := http.DefaultClient.Do(r)
			switch {
			case err != nil:
				b.WriteByte('x')
			default:
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				b.WriteString(resp.Status[:1])
			}
			cancel()
		}
		return b.String()
	}
	first := disturbed("7")
	assert.Contains(t, first, "5")
	assert.Contains(t, first, "x")
	assert.NotEqual(t, first, disturbed("8"))
}
