package redisengine_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// A Redis that goes away is told on every endpoint, with the cause.
func TestEngineRedisIsGone(t *testing.T) {
	s, stop := startStoppable(t)
	code, _ := post(t, s, "/", `["PING"]`)
	require.Equal(t, 200, code)
	stop()
	for path, body := range map[string]string{
		"/": `["GET","k"]`, "/get/k": "", "/pipeline": `[["GET","k"]]`, "/multi-exec": `[["GET","k"]]`,
		"/subscribe/c": "", "/psubscribe/c*": "", "/monitor": "",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+s.Token)
		r.Header.Set("Accept", "text/event-stream")
		res, err := s.HTTPClient().Do(r)
		require.NoError(t, err)
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, 500, res.StatusCode, path)
		assert.Regexp(t, "redis.sock.*(no such file|refused|EOF|closed|reset)|EOF", string(b), path)
	}
}

// start runs a redis-server of its own and puts a REST server in front of it.
// Without a redis-server it skips; where RESTASH_REQUIRE names redis, it fails.
func start(t *testing.T) *upstashtest.Server {
	t.Helper()
	s, _ := startStoppable(t)
	return s
}

func startStoppable(t *testing.T) (s *upstashtest.Server, stop func()) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if slices.Contains(strings.FieldsFunc(os.Getenv("RESTASH_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' }), "redis") {
			t.Fatal("RESTASH_REQUIRE demands redis, and there is no redis-server")
		}
		t.Skip("no redis-server")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	cmd := exec.CommandContext(t.Context(), path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no")
	require.NoError(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed: that is what Wait says
	})
	t.Cleanup(stop)
	var e *redisengine.Engine
	require.Eventually(t, func() bool {
		e, err = redisengine.New(t.Context(), "unix://"+socket)
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	return upstashtest.Run(t, func(c *upstashtest.Config) { c.Engine = e }), stop
}

func post(t *testing.T, s *upstashtest.Server, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	res, err := s.HTTPClient().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(b)
}

func TestEngine(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/", `["SET","k","v"]`, 200, `{"result":"OK"}`},
		{"/", `["GET","k"]`, 200, `{"result":"v"}`},
		{"/", `["GET","none"]`, 200, `{"result":null}`},
		{"/", `["INCR","k"]`, 400, `{"error":"ERR value is not an integer or out of range"}`},
		{"/pipeline", `[["RPUSH","l","a","b"],["LRANGE","l","0","-1"],["HGET","l","f"]]`, 200,
			`[{"result":2},{"result":["a","b"]},{"error":"WRONGTYPE Operation against a key holding the wrong kind of value"}]`},
		{"/multi-exec", `[["SET","n","1"],["INCR","n"],["INCR","k"]]`, 200,
			`[{"result":"OK"},{"result":2},{"error":"ERR value is not an integer or out of range"}]`},
		{"/multi-exec", `[["SET","n","9"],["SET","n","9","BOGUS"]]`, 200, `[{"result":"OK"},{"error":"ERR syntax error"}]`},
		{"/multi-exec", `[["SET","n","10"],["GET"]]`, 400, `{"error":"EXECABORT Transaction discarded because of: ERR wrong number of arguments for 'get' command"}`},
		{"/", `["GET","n"]`, 200, `{"result":"9"}`},
		{"/", `["SET","k","w","IFEQ","x"]`, 200, `{"result":null}`},
		{"/", `["SET","k","w","PX","100000","IFEQ","v"]`, 200, `{"result":"OK"}`},
		{"/", `["TTL","k"]`, 200, `{"result":100}`},
		{"/", `["SET","k","x","IFNE","w","GET"]`, 200, `{"result":"w"}`},
		{"/", `["DELEX","k","IFEQ","x"]`, 200, `{"result":0}`},
		{"/", `["DELEX","k","IFEQ","w"]`, 200, `{"result":1}`},
		{"/", `["EVAL","#!lua flags=allow-key-locking\nreturn 7",0]`, 200, `{"result":7}`},
		{"/", `["EVALSHA","` + sha + `",0]`, 200, `{"result":7}`},
		{"/", `["SUBSCRIBE","c"]`, 400, `{"error":"ERR Command is not available: 'SUBSCRIBE'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"}`},
		{"/", `["CONFIG","SET","requirepass","x"]`, 400, `{"error":"ERR Unknown option or number of arguments for CONFIG SET"}`},
		{"/", `["SELECT","1"]`, 400, `{"error":"ERR DB index is out of range"}`},
		{"/", `["COMMAND"]`, 200, `{"result":[]}`},
	} {
		status, got := post(t, s, c.path, c.body)
		assert.Equal(t, c.status, status, c.body)
		assert.Equal(t, c.want, got, c.body)
	}
	for _, refused := range []string{"SSUBSCRIBE", "CLIENT", "RESET", "SHUTDOWN", "REPLICAOF", "DEBUG", "MULTI", "WATCH", "BLPOP"} {
		status, _ := post(t, s, "/", `["`+refused+`","a","1"]`)
		assert.Equal(t, 400, status, refused)
	}
}

// sha is the SHA-1 of the script of TestEngine as it was sent.
const sha = "75f7948232cd19e754973ed15e2480762e8833da"

func TestEngineStream(t *testing.T) {
	s := start(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/subscribe/a", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Accept", "text/event-stream")
	res, err := s.HTTPClient().Do(r)
	require.NoError(t, err)
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		for lines.Scan() {
			if line := lines.Text(); line != "" {
				return line
			}
		}
		return "the end"
	}
	assert.Equal(t, "data: subscribe,a,1", next())
	_, got := post(t, s, "/", `["PUBLISH","a","one, two"]`)
	assert.Equal(t, `{"result":1}`, got)
	assert.Equal(t, "data: message,a,one, two", next())
	require.NoError(t, res.Body.Close())
}

func TestNewErrors(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	_, err := redisengine.New(t.Context(), "nonsense")
	require.ErrorContains(t, err, "redis://host:port")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = redisengine.New(ctx, "redis://user:secret@127.0.0.1:1")
	require.ErrorContains(t, err, "no Redis at 127.0.0.1:1")
	assert.NotContains(t, err.Error(), "secret")
}
