package probe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

func TestRunTheLocalServerAnswersAsDocumented(t *testing.T) {
	server := upstashtest.Run(t)
	_, err := server.Do("SET", "mine", "1")
	require.NoError(t, err)
	answers, err := Run(t.Context(), Target{URL: server.URL, Token: server.Token})
	require.NoError(t, err)
	assert.Greater(t, len(answers), 200)
	for _, a := range answers {
		assert.Truef(t, a.Met, "%s: want %s, got %s", a.Request, a.Want, a.Got)
		assert.NotEmpty(t, a.Source, a.Request)
		assert.NotContains(t, a.Got, server.Token)
	}
	left, err := server.Do("KEYS", "*")
	require.NoError(t, err)
	require.Len(t, left.Array, 1, "what it wrote is gone")
	assert.Equal(t, "mine", string(left.Array[0].Bytes))
}

// TestRunNoticesEachWrongAnswer breaks every answer in turn: an expectation
// that accepts anything would let it pass.
func TestRunNoticesEachWrongAnswer(t *testing.T) {
	server := upstashtest.Run(t)
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, `{"nothing":["0",[]]}`)
	}))
	defer wrong.Close()
	answers, err := Run(t.Context(), Target{URL: wrong.URL, Token: server.Token})
	require.ErrorContains(t, err, "may be left", "the keys could not be removed, and it says so")
	require.Greater(t, len(answers), 200)
	for _, a := range answers {
		assert.Equal(t, a.Open, a.Met, a.Request)
	}
}

func TestParseRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, text := range []string{
		"== title", "GET a", "GET 'a => 1", "GET a => nothing", "> GET", "> GET path", "> GET /a", "> GET /a\nGET b => 1", "< 200 {}", "> GET /a\n< 200 x", "GET a => ~ (",
	} {
		_, err := parse("== t | https://x\n" + text)
		assert.Error(t, err, text)
	}
}

func TestExpectation(t *testing.T) {
	for _, c := range []struct {
		want, body string
		status     int
		met        bool
	}{
		{`1`, `{"result":1}`, 200, true}, {`1`, `{"result":1.0}`, 200, false}, {`1`, `{"result":"1"}`, 200, false}, {`1`, `{"result":1}`, 400, false},
		{`null`, `{"result":null}`, 200, true}, {`null`, `{}`, 200, false}, {`null`, `{"error":"x"}`, 200, false},
		{`{set} ["a","b"]`, `{"result":["b","a"]}`, 200, true}, {`{set} ["a","b"]`, `{"result":["b","b"]}`, 200, false}, {`["a","b"]`, `{"result":["b","a"]}`, 200, false},
		{`! ERR mine`, `{"error":"ERR mine, really"}`, 400, true}, {`! ERR mine`, `{"error":"ERR yours"}`, 400, false}, {`! ERR mine`, `{"result":"ERR mine"}`, 400, false},
		{`~ [0-9]`, `{"result":7}`, 200, true}, {`~ [0-9]`, `{"result":77}`, 200, false}, {`?`, `whatever`, 500, true},
	} {
		var e expectation
		require.NoError(t, e.parseResult(c.want))
		assert.Equal(t, c.met, e.met(c.status, []byte(c.body)), "%s of %s", c.want, c.body)
	}
}

func TestPricesByTheCounter(t *testing.T) {
	server := upstashtest.Run(t)
	prices, err := Prices(t.Context(), Target{URL: server.URL, Token: server.Token}, server.URL+"/_restash/bill")
	require.NoError(t, err)
	require.Len(t, prices, 3)
	for _, p := range prices {
		assert.InDelta(t, 1, p.Commands, 0.001, p.Request)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"), "the token is the database's alone")
		_ = json.NewEncoder(w).Encode(map[string]any{"commands_total": 5})
	}))
	defer elsewhere.Close()
	prices, err = Prices(t.Context(), Target{URL: server.URL, Token: server.Token}, elsewhere.URL)
	require.NoError(t, err)
	assert.Zero(t, prices[0].Commands)
	none := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer none.Close()
	_, err = Prices(t.Context(), Target{URL: server.URL, Token: server.Token}, none.URL)
	require.ErrorContains(t, err, "neither")
}

func TestTargetPrintsNoToken(t *testing.T) {
	target := Target{URL: "https://x.example", Token: "s3cret"}
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", target, target, target), "s3cret")
	_, err := Run(t.Context(), Target{URL: "http://127.0.0.1:1", Token: "s3cret"})
	require.Error(t, err)
	assert.False(t, strings.Contains(err.Error(), "s3cret"))
}

// TestRunARealRedisAnswersAsDocumented is the judge of what is Redis' own.
func TestRunARealRedisAnswersAsDocumented(t *testing.T) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		require.NotContains(t, os.Getenv("RESTASH_REQUIRE"), "redis", "no redis-server")
		t.Skip("no redis-server")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	redis := exec.CommandContext(t.Context(), path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no")
	require.NoError(t, redis.Start())
	defer func() { _ = redis.Process.Kill(); _ = redis.Wait() }()
	var engine *redisengine.Engine
	require.Eventually(t, func() bool {
		engine, err = redisengine.New(t.Context(), "unix://"+socket)
		return err == nil
	}, 30*time.Second, 20*time.Millisecond)
	server := upstashtest.Run(t, func(c *upstashtest.Config) { c.Engine = engine })
	answers, err := Run(t.Context(), Target{URL: server.URL, Token: server.Token, OnlyRedis: true})
	require.NoError(t, err)
	assert.Greater(t, len(answers), 170)
	for _, a := range answers {
		assert.Truef(t, a.Met, "%s: want %s, got %s", a.Request, a.Want, a.Got)
	}
}
