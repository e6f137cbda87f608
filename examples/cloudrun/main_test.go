package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// container is the program as Cloud Run runs it.
type container struct {
	t      *testing.T
	url    string
	cmd    *exec.Cmd
	exited chan error
}

func startContainer(t *testing.T, env ...string) *container {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "catalog")
	output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", output)
	cmd := exec.Command(binary)
	cmd.Env = append(env, "PORT="+freePort(t), "K_SERVICE=catalog")
	logs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &container{t: t, cmd: cmd, exited: make(chan error, 1)}
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			t.Log(lines.Text())
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line.Address
			}
		}
		c.exited <- cmd.Wait()
	}()
	select {
	case address := <-listening:
		_, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		c.url = "http://127.0.0.1:" + port
	case err := <-c.exited:
		t.Fatalf("the program ended: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("the program does not listen")
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// postgres returns a schema of the test's own, and a pool on it.
func postgres(t *testing.T) (dsn string, db *sql.DB) {
	t.Helper()
	server := os.Getenv("RESTASH_TEST_POSTGRES")
	if server == "" {
		if strings.Contains(os.Getenv("RESTASH_REQUIRE"), "postgres") {
			t.Fatal("RESTASH_REQUIRE asks for postgres but RESTASH_TEST_POSTGRES is not set")
		}
		t.Skip("set RESTASH_TEST_POSTGRES to run this")
	}
	schema := fmt.Sprintf("cloudrun_%d", time.Now().UnixNano())
	separator := "?"
	if strings.Contains(server, "?") {
		separator = "&"
	}
	dsn = server + separator + "search_path=" + schema
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE")
		assert.NoError(t, err)
		_ = db.Close()
	})
	return dsn, db
}

const (
	clients   = 80 // Cloud Run's default concurrency
	rated     = "/api/extensions/openai-codex"
	counted   = "/api/mcp/fastmcp"
	lateStart = 500 * time.Millisecond // the front end may send requests for a moment after SIGTERM
)

// load is what the clients saw.
type load struct {
	answered, downloads atomic.Int64
	mu                  sync.Mutex
	failures            []string
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, fmt.Sprintf(format, args...))
}

// run asks for pages, some of them new, and counts downloads, until stop.
func (l *load) run(h *http.Client, url string, id int, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		method, path := http.MethodGet, "/api/extensions"
		switch n % 4 {
		case 1:
			path = fmt.Sprintf("/api/mcp?search=word%d-%d", id, n) // never cached
		case 2:
			path = "/api/users/openai"
		case 3:
			method, path = http.MethodPost, counted+"/download"
		}
		status, _, err := ask(h, method, url+path, "")
		if err != nil || status != http.StatusOK {
			l.fail("%s %s: status %d, %v", method, path, status, err)
			return
		}
		l.answered.Add(1)
		if method == http.MethodPost {
			l.downloads.Add(1)
		}
	}
}

func ask(h *http.Client, method, url, body string) (int, http.Header, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if method != http.MethodGet {
		request.Header.Set("Authorization", "Bearer write")
	}
	response, err := h.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header, err
}

// In the middle of the load the database stands still, Redis refuses, and
// SIGTERM comes. Everything that was asked must be answered, and an invalidation
// that could not be sent must arrive before the end.
func TestSIGTERMUnderLoadFailsNothingAndLosesNothing(t *testing.T) {
	dsn, db := postgres(t)
	redis := upstashtest.Run(t)
	env := []string{"DATABASE_URL=" + dsn, "UPSTASH_REDIS_REST_URL=" + redis.URL, "UPSTASH_REDIS_REST_TOKEN=" + redis.Token,
		"CATALOG_WRITE_TOKEN=write"}
	c := startContainer(t, env...)
	h := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 20 * time.Second}
	for range 2 {
		status, _, err := ask(h, http.MethodGet, c.url+rated, "")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}

	var l load
	var all sync.WaitGroup
	stop := make(chan struct{})
	for id := range clients {
		all.Go(func() { l.run(h, c.url, id, stop) })
	}
	<-time.After(time.Second)
	var refusing atomic.Bool
	refusing.Store(true)
	redis.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if refusing.Load() {
			http.Error(w, `{"error":"ERR out of order"}`, http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	status, header, err := ask(h, http.MethodPost, c.url+rated+"/rating", `{"rating":1}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "pending", header.Get("X-Cache-Invalidation"))

	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	<-time.After(200 * time.Millisecond) // everybody stands in line now
	before := l.answered.Load()
	signalled := time.Now()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	<-time.After(lateStart)
	close(stop)
	<-time.After(2 * time.Second)
	refusing.Store(false)
	require.NoError(t, tx.Rollback())
	all.Wait()
	select {
	case err := <-c.exited:
		assert.NoError(t, err)
	case <-time.After(15 * time.Second):
		t.Fatal("the program does not end")
	}
	took := time.Since(signalled)

	assert.Empty(t, l.failures)
	assert.Less(t, took, 10*time.Second, "Cloud Run would have killed it")
	assert.Greater(t, l.answered.Load(), before, "some were answered after SIGTERM")
	t.Logf("%d answers, %d of them after SIGTERM, ended after %s", l.answered.Load(), l.answered.Load()-before, took.Round(time.Millisecond))
	next := nextInstance(t, redis, db)
	var item struct{ McpServer catalog.Item }
	require.NoError(t, json.Unmarshal(next.page(t, counted, "MISS"), &item))
	stored, err := next.db.Item(t.Context(), catalog.MCP, "fastmcp")
	require.NoError(t, err)
	assert.Equal(t, stored.Downloads, item.McpServer.Downloads)
	assert.Equal(t, seededDownloads(t)+l.downloads.Load(), stored.Downloads, "each answered download was counted once")
	next.page(t, rated, "MISS") // the pending invalidation arrived
}

// instance is the next one that starts, on the same data.
type instance struct {
	app *catalog.App
	db  *catalog.Database
}

func nextInstance(t *testing.T, redis *upstashtest.Server, pool *sql.DB) instance {
	t.Helper()
	c, err := client.New(client.Config{URL: redis.URL, Token: redis.Token})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	require.NoError(t, err)
	db, err := catalog.NewDatabase(pool, catalog.Postgres)
	require.NoError(t, err)
	app, err := catalog.New(catalog.Config{Database: db, Store: store, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	return instance{app, db}
}

func (i instance) page(t *testing.T, path, cache string) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	i.app.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, cache, w.Header().Get("X-Cache"), path)
	return w.Body.Bytes()
}

// seededDownloads is the number that the sample data begins with.
func seededDownloads(t *testing.T) int64 {
	t.Helper()
	content, err := os.ReadFile("../catalog/data/catalog.tsv")
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		var n int64
		if f := strings.Split(strings.TrimSpace(line), "\t"); f[0] == "mcp" && f[1] == "fastmcp" {
			_, err := fmt.Sscan(f[7], &n)
			require.NoError(t, err)
			return n
		}
	}
	t.Fatal("fastmcp is not in the data")
	return 0
}

func TestStoreConfigFollowsBilling(t *testing.T) {
	assert.Nil(t, storeConfig("").Executor, "the default goes by K_SERVICE")
	require.NotNil(t, storeConfig("instance").Executor)
	assert.Zero(t, storeConfig("instance").Executor.Wait())
}
