package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// database starts a local server and names it in the environment.
func database(t *testing.T, opts ...func(*upstashtest.Config)) *upstashtest.Server {
	t.Helper()
	unsetRedis(t)
	server := upstashtest.Run(t, opts...)
	t.Setenv(urlVariable, server.URL)
	t.Setenv(tokenVariable, server.Token)
	return server
}

// do prepares the database.
func do(t *testing.T, server *upstashtest.Server, lines ...string) {
	t.Helper()
	for _, line := range lines {
		_, err := server.Do(words(line)...)
		require.NoError(t, err, line)
	}
}

func TestPingTimesAnAnswerThatCostsNothing(t *testing.T) {
	server := database(t)
	defer server.ExpectBill(t, 0, 3)()
	assert.Regexp(t, `^PONG  \d+\.\d\d ms\n$`, restash(t, "ping").out)
	assert.Regexp(t, `^({"ms":[\d.]+,"reply":"PONG"}\n){2}$`, restash(t, "ping", "-c", "2", "--json").out)
}

func TestErrorsNameTheNextStep(t *testing.T) {
	unsetRedis(t)
	r := restash(t, "ping")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.errs, "restash serve")
	server := database(t)
	t.Setenv(tokenVariable, "wrong-token")
	r = restash(t, "ping")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.errs, "not its Redis password")
	assert.NotContains(t, r.errs, "wrong-token")
	t.Setenv(tokenVariable, server.ReadOnlyToken)
	r = restash(t, "exec", "SET", "a", "1")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.out+r.errs, "NOPERM")
	t.Setenv(urlVariable, "http://127.0.0.1:1")
	assert.Contains(t, restash(t, "ping").errs, "restash doctor")
}

func TestExecPrintsAsAsked(t *testing.T) {
	database(t)
	assert.Equal(t, "OK\n", restash(t, "exec", "set", "k", "a b").out)
	assert.Equal(t, "a b\n", restash(t, "exec", "GET", "k").out)
	assert.Equal(t, "\"a b\"\n", restash(t, "exec", "--no-raw", "GET", "k").out)
	assert.Equal(t, "[\"a b\",null]\n", restash(t, "exec", "--json", "MGET", "k", "none").out)
	assert.Equal(t, "(nil)\n", restash(t, "exec", "--no-raw", "GET", "none").out)
	assert.Equal(t, "(integer) -1\n", restash(t, "exec", "--no-raw", "INCRBY", "n", "-1").out, "flags end at the command")
	r := restash(t, "exec", "LPUSH", "k", "x")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.out, "WRONGTYPE")
	assert.Empty(t, r.errs)
	assert.Equal(t, exitUsage, restash(t, "exec", "SUBSCRIBE", "x").status)
	assert.Equal(t, exitUsage, restash(t, "exec").status)
}

func TestExecReadsStandardInput(t *testing.T) {
	database(t)
	r := restashWith(t, t.Context(), "SET k \"a\\nb\"\n\nNOSUCH\nGET 'k\nGET k\n", "exec", "--no-raw", "-")
	assert.Equal(t, exitFailed, r.status)
	assert.Regexp(t, `^OK\n\(error\) ERR .*\n"a\\nb"\n$`, r.out)
	assert.Contains(t, r.errs, "line 4")
	require.Zero(t, restashWith(t, t.Context(), "long value", "exec", "-x", "SET", "k").status)
	assert.Equal(t, "long value\n", restash(t, "exec", "GET", "k").out)
}

func TestScanTypesTTLsAndCost(t *testing.T) {
	server := database(t)
	do(t, server, "SET user:1 x PX 90000", "HSET user:2 f v", "SET other x")
	defer server.ExpectBill(t, 5, 2)()
	r := restash(t, "scan", "user:*")
	assert.Regexp(t, `(?m)^string +1m (30|29)s +user:1$`, r.out)
	assert.Regexp(t, `(?m)^hash +no TTL +user:2$`, r.out)
	assert.NotContains(t, r.out, "other")
	assert.Equal(t, "2 keys, 5 commands\n", r.errs)
}

func TestScanBareAndJSON(t *testing.T) {
	server := database(t)
	do(t, server, "SET a x", "HSET b f v")
	assert.Equal(t, "b\n", restash(t, "scan", "--bare", "--type", "hash").out)
	assert.Equal(t, "{\"key\":\"a\",\"type\":\"string\"}\n", restash(t, "scan", "--json", "a").out)
	assert.Equal(t, 1, strings.Count(restash(t, "scan", "--limit", "1").out, "\n"))
}

func TestSubscribePrintsMessages(t *testing.T) {
	server := database(t)
	for _, args := range [][]string{{"news"}, {"--pattern", "n*"}} {
		stop := make(chan struct{})
		go func() { // until one is heard
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = server.Do("PUBLISH", "news", "hello")
				}
			}
		}()
		r := restash(t, append([]string{"subscribe", "--count", "1", "--json"}, args...)...)
		close(stop)
		require.Zero(t, r.status, r.errs)
		assert.Contains(t, r.out, `"payload":"hello"`)
		assert.Contains(t, r.errs, "Ctrl-C ends it")
	}
}

func TestStreamsEndWithoutAnErrorWhenInterrupted(t *testing.T) {
	database(t)
	for _, args := range []string{"monitor", "subscribe news", "metrics --watch"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		r := restashWith(t, ctx, "", words(args)...)
		cancel()
		assert.Zero(t, r.status, args+r.errs)
	}
}

// cachedUser stores an entry and returns its Store.
func cachedUser(t *testing.T, server *upstashtest.Server, config strategies.Config) *strategies.Store {
	t.Helper()
	c, err := client.New(client.Config{URL: server.URL, Token: server.Token})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(context.Background()); _ = c.Close() })
	config.Name, config.Version = "user", "v1"
	users := strategies.New[string](store, config)
	_, err = users.Get(t.Context(), "ada", func(context.Context, string) (string, error) { return "Ada", nil }, strategies.Tags("team:7"))
	require.NoError(t, err)
	require.NoError(t, store.Flush(t.Context()))
	return store
}

func TestInspectInTheWordsOfTheReadme(t *testing.T) {
	server := database(t)
	store := cachedUser(t, server, strategies.Config{TTL: time.Minute, StaleWhileRevalidate: time.Minute})
	r := restash(t, "inspect", "user", "ada")
	require.Zero(t, r.status, r.errs)
	assert.Regexp(t, `(?m)^would be served: yes, fresh for another \d+ s$`, r.out)
	assert.Contains(t, r.out, "tags             team:7\n")

	time.Sleep(1100 * time.Millisecond) // tokens carry the wall clock
	_, err := store.Invalidate(t.Context(), invalidate.Tags("team:7"))
	require.NoError(t, err)
	r = restash(t, "inspect", "restash:e:user:v1:ada", "--json")
	require.Zero(t, r.status, r.errs)
	var e struct {
		Served struct{ As, Words string }
		Tags   []string
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &e))
	assert.Empty(t, e.Served.As)
	assert.Regexp(t, `^no; tag team:7 was invalidated \d s after this was loaded$`, e.Served.Words)
	assert.Equal(t, []string{"team:7"}, e.Tags)
}

func TestInspectWhat(t *testing.T) {
	server := database(t)
	cachedUser(t, server, strategies.Config{TTL: time.Millisecond, StaleWhileRevalidate: time.Minute, StaleIfError: time.Hour})
	time.Sleep(5 * time.Millisecond)
	key := "restash:e:user:v1:ada"
	r := restash(t, "inspect", key, "--body")
	assert.Contains(t, r.out, "yes, as STALE while it is refreshed, for another 59 s; its TTL ended")
	assert.Contains(t, r.out, `"Ada"`)
	do(t, server, "SET restash:g junk")
	assert.Contains(t, restash(t, "inspect", key).out, "no; the token of the whole namespace was overwritten")
	do(t, server, "SET "+key+" junk")
	assert.Contains(t, restash(t, "inspect", key).out, "no; it is not an entry")
	r = restash(t, "inspect", "user", "bob")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.errs, "is the namespace right")
	assert.Equal(t, exitFailed, restash(t, "inspect", "session:1").status)
	assert.Equal(t, exitFailed, restash(t, "inspect", "restash:e:user:v1:none").status)
}

func TestInvalidateWithCost(t *testing.T) {
	server := database(t)
	cachedUser(t, server, strategies.Config{TTL: time.Minute})
	served := func() string { return restash(t, "inspect", "user", "ada").out }
	for _, line := range []string{"tag team:7", "key user ada", "prefix user", "all", "pattern user a*"} {
		assert.Contains(t, served(), "yes, fresh", line)
		before := server.Bill()
		dry := restash(t, append([]string{"invalidate", "--dry-run"}, words(line)...)...)
		require.Zero(t, dry.status, dry.errs)
		assert.Contains(t, dry.out, "would invalidate")
		if !strings.HasPrefix(line, "pattern") {
			assert.Equal(t, before, server.Bill(), "a dry run asks nobody: "+line)
			assert.Contains(t, dry.out, "commands 1, trips 1")
		} else {
			assert.Contains(t, dry.out, "1 entries")
		}
		assert.Contains(t, served(), "yes, fresh", line)
		r := restash(t, append([]string{"invalidate", "--json"}, words(line)...)...)
		require.Zero(t, r.status, r.errs)
		assert.Contains(t, r.out, `"dryRun":false`)
		assert.NotContains(t, served(), "yes", line)
		cachedUser(t, server, strategies.Config{TTL: time.Minute})
	}
	assert.Equal(t, exitUsage, restash(t, "invalidate", "tga", "x").status)
	assert.Equal(t, exitUsage, restash(t, "invalidate", "all", "x").status)
	assert.Equal(t, exitUsage, restash(t, "invalidate", "tag").status)
}

func TestInvalidateAnotherNamespaceIsLeftAlone(t *testing.T) {
	server := database(t)
	cachedUser(t, server, strategies.Config{TTL: time.Minute})
	r := restash(t, "invalidate", "all", "--namespace", "restash-production")
	require.Zero(t, r.status, r.errs)
	assert.Contains(t, r.out, "namespace restash-production")
	assert.Contains(t, restash(t, "inspect", "user", "ada").out, "yes, fresh")
}

func TestMetricsOfAnApplicationAndOfTheFleet(t *testing.T) {
	server := database(t)
	store := cachedUser(t, server, strategies.Config{TTL: time.Minute})
	app := httptest.NewServer(ops.Metrics(store))
	defer app.Close()
	r := restash(t, "metrics", "--url", app.URL)
	require.Zero(t, r.status, r.errs)
	assert.Regexp(t, `(?m)^  misses +1$`, r.out)
	r = restash(t, "metrics", "--fleet", "--json")
	require.Zero(t, r.status, r.errs)
	assert.Contains(t, r.out, `"totalRequests":0`)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer other.Close()
	r = restash(t, "metrics", "--url", other.URL)
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.errs, "--url must be")
}

func TestBenchCountsAndCleansUp(t *testing.T) {
	server := database(t)
	before := server.Bill()
	r := restash(t, "bench", "-n", "20", "-c", "4", "--json")
	require.Zero(t, r.status, r.errs)
	assert.Equal(t, 5, strings.Count(r.out, "\n"))
	assert.Equal(t, int64(20+20+20+200+1), server.Bill().Sub(before).Commands)
	reply, err := server.Do("DBSIZE")
	require.NoError(t, err)
	assert.Zero(t, reply.Int)
	assert.Equal(t, exitUsage, restash(t, "bench", "-n", "0").status)
	t.Setenv(urlVariable, "http://127.0.0.1:1")
	assert.Equal(t, exitFailed, restash(t, "bench", "-n", "1").status)
}
