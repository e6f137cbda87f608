package upstashtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
)

func TestResponseHeaders(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		got := do(t, s, "GET", "k")
		assert.Equal(t, "application/json", got.header.Get("Content-Type"))
		assert.NotEmpty(t, got.header.Get("Upstash-Sync-Token"))
		assert.Equal(t, "true", got.header.Get("Access-Control-Allow-Credentials"))
		assert.Empty(t, do(t, s, "GET").header.Get("Upstash-Sync-Token"), "not on errors")

		got = send(t, s, request{method: "OPTIONS", path: "/", noToken: true, header: map[string]string{
			"Origin": "https://app.example", "Access-Control-Request-Headers": "authorization"}})
		assert.Equal(t, 200, got.status)
		assert.Equal(t, "https://app.example", got.header.Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "authorization", got.header.Get("Access-Control-Allow-Headers"))
	})
}

func TestSyncTokenMovesWithWrites(t *testing.T) {
	s := upstashtest.Run(t)
	token := func(args ...any) string { return do(t, s, args...).header.Get("Upstash-Sync-Token") }
	first := token("GET", "k")
	assert.Equal(t, first, token("GET", "k"))
	second := token("SET", "k", "v")
	assert.NotEqual(t, first, second)
	assert.NotEqual(t, second, token("EVAL", "return redis.call('SET','k','w')", 0), "a script's writes count")
}

func TestResp2(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		resp2 := map[string]string{"Upstash-Response-Format": "resp2"}
		do(t, s, "RPUSH", "l", "a", "b")
		got := send(t, s, request{path: "/", body: `["LRANGE","l",0,-1]`, header: resp2})
		assert.Equal(t, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", got.body)
		assert.Equal(t, "application/octet-stream", got.header.Get("Content-Type"))
		got = send(t, s, request{path: "/pipeline", body: `[["PING"],["GET","none"],["INCR","l"],["LLEN","l"]]`, header: resp2})
		assert.Equal(t, "+PONG\r\n$-1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n:2\r\n", got.body)
		got = send(t, s, request{path: "/", body: `["GET"]`, header: resp2})
		assert.Equal(t, 400, got.status)
		assert.Equal(t, "-ERR wrong number of arguments for 'get' command\r\n", got.body)
		got = send(t, s, request{path: "/multi-exec", body: `[["PING"]]`, header: resp2})
		assert.Equal(t, `[{"result":"PONG"}]`, got.body, "always JSON")

		for _, header := range []map[string]string{
			{"Upstash-Response-Format": "resp3"},
			{"Upstash-Response-Format": "resp2", "Upstash-Encoding": "base64"},
			{"Upstash-Encoding": "rot13"},
		} {
			got := send(t, s, request{path: "/", body: `["PING"]`, header: header})
			assert.Equal(t, 400, got.status, header)
			assert.True(t, strings.HasPrefix(got.body, `{"error":"ERR unsupported`) || strings.Contains(got.body, "exclude"), got.body)
		}
	})
}

func TestBase64(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		b64 := map[string]string{"Upstash-Encoding": "base64"}
		send(t, s, request{path: "/set/bin", body: "\xff\x00\xfe"})
		do(t, s, "SET", "ok", "OK")
		for body, want := range map[string]string{
			`["GET","bin"]`:              `{"result":"/wD+"}`,
			`["MGET","bin","none","ok"]`: `{"result":["/wD+",null,"T0s="]}`,
			`["STRLEN","bin"]`:           `{"result":3}`,
			`["EVAL","return {{ok='OK'},{ok='FINE'},{'x'}}",0]`: `{"result":["OK","RklORQ==",["eA=="]]}`,
			`["TYPE","bin"]`: `{"result":"c3RyaW5n"}`,
			`["INCR","bin"]`: `{"error":"ERR value is not an integer or out of range"}`,
		} {
			assert.Equal(t, want, send(t, s, request{path: "/", body: body, header: b64}).body, body)
		}
		got := do(t, s, "GET", "bin")
		assert.Equal(t, "{\"result\":\"\uFFFD\x5cu0000\uFFFD\"}", got.body, "silent damage without base64")
	})
}

func TestPathForm(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		for _, c := range []struct {
			method, path, body, want string
		}{
			{"POST", "/SET/k?EX=100&NX", "v", `{"result":"OK"}`},
			{"GET", "/ttl/k", "", `{"result":100}`},
			{"POST", "/set/k?NX&_token=" + s.Token, "w", `{"result":null}`},
			{"PUT", "/echo", "a/b?c\xc3\xa9", `{"result":"a/b?cé"}`},
			{"GET", "/echo/%E2%82%AC%2F%3F", "", `{"result":"€/?"}`},
			{"GET", "/echo/a+b", "", `{"result":"a+b"}`},
			{"GET", "/set/e/%20", "", `{"result":"OK"}`},
			{"GET", "/zrange/none/0/-1", "", `{"result":[]}`},
		} {
			assert.Equal(t, c.want, send(t, s, request{method: c.method, path: c.path, body: c.body}).body, c.path)
		}
	})
}

func TestAuthentication(t *testing.T) {
	s := upstashtest.Run(t, func(c *upstashtest.Config) {
		c.Tokens = []upstashtest.Token{{Name: "reports", Value: "tok-r", ReadOnly: true}, {Name: "app", Value: "tok-a"}}
	})
	for _, c := range []struct {
		header, query string
		want          int
	}{
		{"Bearer tok-a", "", 200}, {"bearer tok-a", "", 200}, {"tok-a", "", 200},
		{"Bearer tok-r", "", 400}, {"Bearer nope", "", 401}, {"", "", 401}, {"Bearer ", "", 401},
		{"Bearer nope", "?_token=tok-a", 200}, {"Bearer tok-a", "?_token=nope", 401},
	} {
		got := send(t, s, request{method: "GET", path: "/set/k/v" + c.query, header: map[string]string{"Authorization": c.header}, noToken: true})
		assert.Equal(t, c.want, got.status, "%+v", c)
	}
	assert.EqualValues(t, 4, s.BillOf("app").Commands)
	assert.Zero(t, s.BillOf("reports").Commands)
	assert.EqualValues(t, 1, s.BillOf("reports").Trips)
	_, err := upstashtest.New(upstashtest.Config{Tokens: []upstashtest.Token{{Name: "default", Value: "x"}}})
	require.ErrorContains(t, err, "Config.Tokens")
}

func TestReadOnlyTokenRefusesTransactionsWhole(t *testing.T) {
	s := upstashtest.Run(t)
	ro := map[string]string{"Authorization": "Bearer " + s.ReadOnlyToken}
	got := send(t, s, request{path: "/multi-exec", body: `[["GET","k"],["SET","k","v"]]`, header: ro})
	assert.Equal(t, 400, got.status)
	assert.True(t, strings.HasPrefix(got.body, `{"error":"NOPERM`), got.body)
	for _, body := range []string{`["KEYS","*"]`, `["SCAN",0]`, `["EVAL","return 1",0]`, `["FLUSHALL"]`, `["PUBLISH","c","m"]`, `["SCRIPT","LOAD","return 1"]`} {
		assert.Equal(t, 400, send(t, s, request{path: "/", body: body, header: ro}).status, body)
	}
	for _, body := range []string{`["PING"]`, `["EVAL_RO","return 1",0]`, `["TTL","k"]`, `["JSON.GET","k"]`} {
		assert.Equal(t, 200, send(t, s, request{path: "/", body: body, header: ro}).status, body)
	}
}

func TestRefusedCommands(t *testing.T) {
	s := upstashtest.Run(t)
	for _, body := range []string{
		`["BLPOP","l",1]`, `["BRPOP","l",1]`, `["BLMOVE","a","b","LEFT","LEFT",1]`, `["BZPOPMIN","z",1]`,
		`["XREAD","BLOCK",0,"STREAMS","x","$"]`, `["xread","count",1,"block",0,"streams","x","$"]`,
		`["XREADGROUP","GROUP","g","c","BLOCK",0,"STREAMS","x",">"]`,
		`["WATCH","k"]`, `["MULTI"]`, `["EXEC"]`, `["DISCARD"]`, `["UNWATCH"]`, `["AUTH","x"]`, `["HELLO","3"]`,
		`["CLIENT","ID"]`, `["QUIT"]`, `["RESET"]`, `["SUBSCRIBE","c"]`, `["PSUBSCRIBE","c"]`, `["MONITOR"]`, `["UNSUBSCRIBE"]`,
	} {
		got := send(t, s, request{path: "/", body: body})
		assert.Equal(t, 400, got.status, body)
		assert.Contains(t, got.body, "ERR Command is not available: ", body)
	}
	assert.Equal(t, 200, do(t, s, "XREAD", "STREAMS", "block", "0").status, "a key may be called so")
}

func TestUnknownRoutesAreLogged(t *testing.T) {
	var logs bytes.Buffer
	s := upstashtest.Run(t, func(c *upstashtest.Config) {
		c.InMemory = true
		c.Logger = slog.New(slog.NewTextHandler(&logs, nil))
	})
	assert.Equal(t, 404, send(t, s, request{path: "/pipeline/extra", body: `[]`}).status)
	assert.Contains(t, logs.String(), "404: no such route")
	logs.Reset()
	send(t, s, request{path: "/get/secret-key?_token=wrong-secret", noToken: true})
	assert.Contains(t, logs.String(), "401: the token is missing")
	send(t, s, request{method: "GET", path: "/nosuch/secret-value"})
	assert.Contains(t, logs.String(), "no such command")
	for _, secret := range []string{"secret", s.Token} {
		assert.NotContains(t, logs.String(), secret)
	}
}

// The bodies that came from the real service, or that a client may send by
// mistake: an answer in JSON, never a crash.
func TestMalformedBodies(t *testing.T) {
	s := upstashtest.Run(t)
	for _, path := range []string{"/", "/pipeline", "/multi-exec"} {
		for _, body := range []string{
			"", "[", "[[", "null", "{}", "1", `"x"`, "[]", "[[]]", `[["GET"],[]]`, `["GET" "k"]`, `["GET","k"] x`, `[["GET","k"]`,
			`["GET","\ud800"]`, "[\"GET\",\"\x01\"]", `[nul]`, `[1e]`, `["a",]`, `[{"a":1}]`, `[true`, "\xff",
		} {
			got := send(t, s, request{path: path, body: body})
			if got.status == 200 {
				continue // a lone surrogate is a string
			}
			var answer struct{ Error string }
			require.NoError(t, json.Unmarshal([]byte(got.body), &answer), "%s %q: %s", path, body, got.body)
			assert.Contains(t, []int{400}, got.status, "%s %q", path, body)
			assert.NotEmpty(t, answer.Error)
		}
	}
}

func TestLargeRequests(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		large := strings.Repeat("é", 5<<20-100) // just under 10 MB
		require.Equal(t, 200, do(t, s, "SET", "k", large).status)
		got := do(t, s, "GET", "k")
		assert.Equal(t, len(large)+len(`{"result":""}`), len(got.body))

		cmds := make([]string, 1000)
		for i := range cmds {
			cmds[i] = fmt.Sprintf(`["SET","k%d","v"]`, i)
		}
		got = send(t, s, request{path: "/pipeline", body: "[" + strings.Join(cmds, ",") + "]"})
		assert.Equal(t, 1000, strings.Count(got.body, `{"result":"OK"}`))
		got = send(t, s, request{path: "/multi-exec", body: "[" + strings.Join(cmds, ",") + "]"})
		assert.Equal(t, 1000, strings.Count(got.body, `{"result":"OK"}`))
	})
}

func TestManyClientsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		defer s.ExpectBill(t, 64*21, 64*11)()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for range 10 {
					send(t, s, request{path: "/multi-exec", body: `[["INCR","n"],["INCR","m"]]`})
				}
				do(t, s, "EVAL_RO", "return 1", 0)
			})
		}
		wg.Wait()
		r, err := s.Do("MGET", "n", "m")
		require.NoError(t, err)
		assert.Equal(t, "640", string(r.Array[0].Bytes))
		assert.Equal(t, "640", string(r.Array[1].Bytes))
	})
}

func TestReply(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{"Ada", `{"result":"QWRh"}`}, {7, `{"result":7}`}, {nil, `{"result":null}`}, {true, `{"result":1}`},
		{int8(-3), `{"result":-3}`}, {uint32(9), `{"result":9}`}, {2.5, `{"result":"Mi41"}`}, {time.Second, `{"result":1000000000}`},
		{uint64(math.MaxUint64), `{"result":"MTg0NDY3NDQwNzM3MDk1NTE2MTU="}`}, {(*int)(nil), `{"result":null}`}, {new(4), `{"result":4}`},
		{map[string]int{"b": 2, "a": 1}, `{"result":["YQ==",1,"Yg==",2]}`}, {[][]any{{"a", 1}, {}}, `{"result":[["YQ==",1],[]]}`},
		{[2]float64{1, 2}, `{"result":["MQ==","Mg=="]}`}, {[]string{"a"}, `{"result":["YQ=="]}`}, {[]any{1, nil, "a"}, `{"result":[1,null,"YQ=="]}`},
		{command.Reply{Kind: command.KindStatus, Bytes: []byte("OK")}, `{"result":"OK"}`},
		{command.ServerError("ERR no"), `{"error":"ERR no"}`},
	} {
		client := &http.Client{Transport: roundTripper(upstashtest.Reply(c.v))}
		for path, want := range map[string]string{"/": c.want, "/pipeline": "[" + c.want + "," + c.want + "]"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x"+path, strings.NewReader(`[["GET","a"],["GET","b"]]`))
			require.NoError(t, err)
			r.Header.Set("Upstash-Encoding", "base64")
			res, err := client.Do(r)
			require.NoError(t, err)
			var body bytes.Buffer
			_, err = body.ReadFrom(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			assert.Equal(t, want, body.String())
		}
	}
	_, err := upstashtest.Reply(struct{}{})(nil)
	require.ErrorContains(t, err, "no reply of Redis")
}

// Each command of a batch has its own answer.
func TestReplies(t *testing.T) {
	rt := upstashtest.Replies("a", 2, command.ServerError("ERR no"), nil)
	ask := func(path, body string) (string, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x"+path, strings.NewReader(body))
		require.NoError(t, err)
		res, err := rt(r)
		if err != nil {
			return "", err
		}
		defer func() { require.NoError(t, res.Body.Close()) }()
		b, err := io.ReadAll(res.Body)
		return string(b), err
	}
	got, err := ask("/pipeline", `[["GET","k"],["INCR","n"],["NOPE"]]`)
	require.NoError(t, err)
	assert.Equal(t, `[{"result":"a"},{"result":2},{"error":"ERR no"}]`, got)
	got, err = ask("/", `["GET","k"]`)
	require.NoError(t, err)
	assert.Equal(t, `{"result":null}`, got)
	_, err = ask("/", `["GET","k"]`)
	require.ErrorContains(t, err, "only 4 replies")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHealth(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		got := send(t, s, request{method: "GET", path: "/_restash/health", noToken: true})
		assert.Equal(t, 200, got.status)
		assert.JSONEq(t, `{"status":"ok"}`, got.body)
		assert.Zero(t, s.Bill())
	})
}

// Whatever address is listened on, the URL can be used on this machine.
func TestURL(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "localhost:0", "127.0.0.1:0"} {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.Addr = addr })
		assert.Regexp(t, `^http://127\.0\.0\.1:[0-9]+$`, s.URL, addr)
		assert.Equal(t, 200, do(t, s, "PING").status, addr)
	}
}

func TestDo(t *testing.T) {
	s := upstashtest.Run(t)
	n, err := upstashtest.Do(s, command.SAdd("names", "ada", "bob"))
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	_, err = upstashtest.Do(s, command.Get("none"))
	require.ErrorIs(t, err, command.ErrNil)
	_, err = upstashtest.Do(s, command.Get("names"))
	require.ErrorContains(t, err, "WRONGTYPE")
	_, err = upstashtest.Do(s, command.MGet())
	require.ErrorContains(t, err, "no keys")
}

// dead is an engine that has gone away.
type dead struct{ constant }

func (dead) Do(context.Context, []string) (upstashtest.Result, error) {
	return upstashtest.Result{}, errors.New("connection refused")
}

func (dead) Transaction(context.Context, [][]string) ([]upstashtest.Result, command.Reply, error) {
	return nil, command.Reply{}, errors.New("connection refused")
}

func TestDeadEngine(t *testing.T) {
	var logs bytes.Buffer
	s := upstashtest.Run(t, func(c *upstashtest.Config) {
		c.InMemory, c.Engine = true, dead{}
		c.Logger = slog.New(slog.NewTextHandler(&logs, nil))
	})
	for path, body := range map[string]string{"/": `["GET","k"]`, "/pipeline": `[["GET","k"]]`, "/multi-exec": `[["GET","k"]]`} {
		logs.Reset()
		got := send(t, s, request{path: path, body: body})
		assert.Equal(t, 500, got.status)
		assert.Equal(t, `{"error":"ERR the engine is out of order: connection refused"}`, got.body)
		assert.Contains(t, logs.String(), "the engine is out of order")
		assert.Contains(t, logs.String(), "connection refused")
	}
	got := send(t, s, request{method: "GET", path: "/_restash/health", noToken: true})
	assert.Equal(t, 503, got.status)
	assert.JSONEq(t, `{"status":"down","error":"connection refused"}`, got.body)
	_, err := s.Do("GET", "k")
	require.ErrorContains(t, err, "connection refused")
	_, err = upstashtest.Do(s, command.Get("k"))
	require.ErrorContains(t, err, "connection refused")
	assert.Zero(t, s.Bill().Commands)
}

// An older server does not know MSETEX: refused as any unknown command is, on
// every endpoint, and not billed.
func TestWithout(t *testing.T) {
	s := upstashtest.Run(t, func(c *upstashtest.Config) { c.Without = []string{"msetex"} })
	unknown := do(t, s, "NOPE", 1, "a", "v")
	got := do(t, s, "MSETEX", 1, "a", "v")
	assert.Equal(t, 400, got.status)
	assert.Equal(t, strings.ReplaceAll(unknown.body, "NOPE", "MSETEX"), got.body)
	got = send(t, s, request{path: "/pipeline", body: `[["MSETEX",1,"a","v"],["SET","b","1"]]`})
	assert.Equal(t, 200, got.status)
	assert.Contains(t, got.body, `"error":"ERR Command is not available: 'MSETEX'`)
	assert.Contains(t, got.body, `{"result":"OK"}`)
	got = send(t, s, request{path: "/multi-exec", body: `[["SET","b","2"],["MSETEX",1,"a","v"]]`})
	assert.Contains(t, got.body, "EXECABORT")
	assert.EqualValues(t, 1, s.Bill().Commands)
}
