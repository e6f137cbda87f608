package catalog_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// vercelFunctions is the folder with the functions that Vercel's builder made;
// .ci/check-vercel.sh builds them.
func vercelFunctions(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("RESTASH_TEST_VERCEL")
	if folder == "" {
		if strings.Contains(os.Getenv("RESTASH_REQUIRE"), "vercel") {
			t.Fatal("RESTASH_REQUIRE asks for vercel but RESTASH_TEST_VERCEL is not set")
		}
		t.Skip("run .ci/check-vercel.sh to test the functions as Vercel builds them")
	}
	return folder
}

// function is a running function, one instance of it.
type function struct {
	t     *testing.T
	calls chan call
}

type call struct {
	event  []byte
	answer chan []byte
}

// startFunction plays the platform: it starts the program and hands it one
// request at a time over the Runtime API.
func startFunction(t *testing.T, bootstrap string, env ...string) *function {
	t.Helper()
	f := &function{t: t, calls: make(chan call)}
	var current call
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case current = <-f.calls:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", "32503680000000")
		_, _ = w.Write(current.event)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/{what}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		if r.PathValue("what") == "error" {
			t.Errorf("the function failed: %s", body)
		}
		current.answer <- body
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	cmd := exec.Command(filepath.Join(bootstrap, "bootstrap"))
	cmd.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(), "VERCEL=1", "VERCEL_ENV=production",
		"AWS_LAMBDA_FUNCTION_NAME=f", "_HANDLER=bootstrap")
	logs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			t.Log("function: " + lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-logged
		_ = cmd.Wait()
		_ = server.Close()
	})
	return f
}

// do sends a request as the platform does, and returns the answer.
func (f *function) do(method, path, body string, header map[string]string) (int, http.Header, string) {
	f.t.Helper()
	headers := map[string]any{"host": "catalog.vercel.app", "x-forwarded-proto": "https", "x-real-ip": "192.0.2.1"}
	for name, value := range header {
		headers[name] = value
	}
	inner, err := json.Marshal(map[string]any{
		"host": "catalog.vercel.app", "path": path, "method": method, "headers": headers,
		"encoding": "base64", "body": base64.StdEncoding.EncodeToString([]byte(body)),
	})
	require.NoError(f.t, err)
	event, err := json.Marshal(map[string]any{"Action": "Invoke", "body": string(inner)})
	require.NoError(f.t, err)
	c := call{event, make(chan []byte, 1)}
	f.calls <- c
	select {
	case raw := <-c.answer:
		var answer struct {
			StatusCode int
			Headers    http.Header
			Body       []byte // base64 in JSON
		}
		require.NoError(f.t, json.Unmarshal(raw, &answer), "%s", raw)
		return answer.StatusCode, answer.Headers, string(answer.Body)
	case <-time.After(30 * time.Second):
		f.t.Fatalf("%s %s: no answer in 30 s", method, path)
		return 0, nil, ""
	}
}

// vercelEnv is the environment with the marketplace's names and what vercel.json sets.
func vercelEnv(t *testing.T, server *upstashtest.Server, database string) []string {
	env := []string{
		"KV_REST_API_URL=" + server.URL, "KV_REST_API_TOKEN=" + server.Token, "POSTGRES_URL=" + database,
		"CRON_SECRET=cron", "CACHE_PURGE_SECRET=purge", "CATALOG_WRITE_TOKEN=write", "CATALOG_CDN_TTL=10s",
	}
	for name, value := range deployedEnv(t) {
		env = append(env, name+"="+value)
	}
	return env
}

func TestVercelFunctionsAsTheBuilderMakesThem(t *testing.T) {
	folder := vercelFunctions(t)
	dsn := schemaOfPostgres(t)
	server := upstashtest.Run(t)
	index := startFunction(t, filepath.Join(folder, "api-index"), vercelEnv(t, server, dsn)...)

	status, header, first := index.do("GET", "/api/extensions?sort=downloads", "", nil)
	require.Equal(t, 200, status, first)
	assert.Equal(t, "MISS", header.Get("X-Cache"))
	assert.Equal(t, "application/json; charset=utf-8", header.Get("Content-Type"))
	assert.Contains(t, first, `"total":247`)
	status, header, second := index.do("GET", "/api/extensions", "", nil)
	require.Equal(t, 200, status)
	assert.Equal(t, "HIT", header.Get("X-Cache"))
	assert.Equal(t, first, second)
	assert.Contains(t, header.Get("Vercel-CDN-Cache-Control"), "stale-while-revalidate=60", "the CDN refreshes in the background")

	item := `{"name":"@ada/engine","version":"1.0.0","category":"devtools"}`
	status, _, body := index.do("POST", "/api/extensions", item, nil)
	assert.Equal(t, 403, status, body)
	status, header, body = index.do("POST", "/api/extensions", item, map[string]string{"authorization": "Bearer write"})
	require.Equal(t, 201, status, body)
	assert.Equal(t, "done", header.Get("X-Cache-Invalidation"))
	status, header, body = index.do("GET", "/api/extensions?sort=recent", "", nil)
	require.Equal(t, 200, status)
	assert.Equal(t, "MISS", header.Get("X-Cache"))
	assert.Contains(t, body, `"ada-engine"`)

	status, _, body = index.do("GET", "/api/cache/metrics", "", nil)
	require.Equal(t, 200, status)
	assert.Contains(t, body, `"hits":1`)
	assert.Contains(t, body, `"scope":"fleet"`)
	status, _, body = index.do("GET", "/nothing", "", nil)
	assert.Equal(t, 404, status, body)

	cron := startFunction(t, filepath.Join(folder, "api-cron-warm"), vercelEnv(t, server, dsn)...)
	status, _, _ = cron.do("GET", "/api/cron/warm", "", map[string]string{"authorization": "Bearer wrong"})
	assert.Equal(t, 401, status)
	status, _, _ = cron.do("GET", "/api/cron/warm", "", nil)
	assert.Equal(t, 401, status)
	status, _, body = cron.do("GET", "/api/cron/warm", "", map[string]string{"authorization": "Bearer cron"})
	require.Equal(t, 200, status, body)
	t.Log(body)
	status, header, _ = index.do("GET", "/api/mcp?sort=rating", "", nil)
	require.Equal(t, 200, status)
	assert.Equal(t, "HIT", header.Get("X-Cache"), "the index finds what the cron warmed")
}

func TestVercelWithoutDatabaseTheAnswerIs503UntilItIsBack(t *testing.T) {
	folder := vercelFunctions(t)
	server := upstashtest.Run(t)
	env := vercelEnv(t, server, "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=1")
	index := startFunction(t, filepath.Join(folder, "api-index"), env...)
	for range 2 { // the same instance goes on
		status, header, body := index.do("GET", "/api/extensions", "", nil)
		assert.Equal(t, 503, status, body)
		assert.Equal(t, "application/json; charset=utf-8", header.Get("Content-Type"))
		assert.NotContains(t, body, "127.0.0.1:1")
	}
	broken := startFunction(t, filepath.Join(folder, "api-index"), "CRON_SECRET=x")
	status, _, body := broken.do("GET", "/api/extensions", "", nil)
	assert.Equal(t, 503, status, body)
}
