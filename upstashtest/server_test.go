package upstashtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cldcde/restash/upstashtest"
)

// request is one raw exchange; nothing of our client takes part.
type request struct {
	method, path, body string
	header             map[string]string
	noToken            bool
}

type answer struct {
	status int
	body   string
	header http.Header
}

func send(t testing.TB, s *upstashtest.Server, q request) answer {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), q.method, s.URL+q.path, bytes.NewBufferString(q.body))
	require.NoError(t, err)
	if !q.noToken {
		r.Header.Set("Authorization", "Bearer "+s.Token)
	}
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	res, err := s.HTTPClient().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, string(body), res.Header}
}

// do sends one command to / and returns status and body.
func do(t testing.TB, s *upstashtest.Server, args ...any) answer {
	t.Helper()
	b, err := json.Marshal(args)
	require.NoError(t, err)
	return send(t, s, request{path: "/", body: string(b)})
}

func both(t *testing.T, f func(t *testing.T, s *upstashtest.Server)) {
	t.Helper()
	t.Run("listener", func(t *testing.T) { f(t, upstashtest.Run(t)) })
	t.Run("memory", func(t *testing.T) {
		f(t, upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true }))
	})
}

// The exchanges of the REST page of the documentation.
func TestDocumentedExchanges(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		b64 := map[string]string{"Upstash-Encoding": "base64"}
		for _, c := range []struct {
			name string
			q    request
			want int
			body string
		}{
			{"set by path", request{method: "GET", path: "/set/foo/bar"}, 200, `{"result":"OK"}`},
			{"options in the path", request{method: "GET", path: "/set/foo/bar/EX/100"}, 200, `{"result":"OK"}`},
			{"body as last argument", request{path: "/set/foo", body: "raw \x00 value"}, 200, `{"result":"OK"}`},
			{"query after body", request{path: "/set/foo?EX=100", body: "v"}, 200, `{"result":"OK"}`},
			{"get", request{method: "GET", path: "/get/foo"}, 200, `{"result":"v"}`},
			{"ttl", request{method: "GET", path: "/ttl/foo"}, 200, `{"result":100}`},
			{"percent decoding", request{method: "PUT", path: "/set/a%2Fb/c%20d"}, 200, `{"result":"OK"}`},
			{"decoded", request{path: "/", body: `["GET","a/b"]`}, 200, `{"result":"c d"}`},
			{"numbers and booleans", request{path: "/", body: `["SET","n",100]`}, 200, `{"result":"OK"}`},
			{"large number", request{path: "/", body: `["ECHO",12345678901234567890]`}, 200, `{"result":"12345678901234567890"}`},
			{"boolean", request{path: "/", body: `["ECHO",true]`}, 200, `{"result":"true"}`},
			{"null", request{path: "/", body: `["GET",null]`}, 400, `{"error":"ERR null args are not supported"}`},
			{"nested", request{path: "/", body: `[["GET","a"]]`}, 400, `{"error":"ERR unsupported arg type: \"[\": json.Delim"}`},
			{"empty body", request{path: "/"}, 400, `{"error":"EOF"}`},
			{"no array", request{path: "/", body: `{"a":1}`}, 400, `{"error":"expected JSON array"}`},
			{"arity", request{path: "/", body: `["GET"]`}, 400, `{"error":"ERR wrong number of arguments for 'get' command"}`},
			{"absent", request{path: "/", body: `["GET","none"]`}, 200, `{"result":null}`},
			{"no token", request{path: "/get/foo", noToken: true}, 401, `{"error":"WRONGPASS invalid or missing auth token"}`},
			{"token in the query", request{method: "GET", path: "/get/foo?_token=" + s.Token, noToken: true}, 200, `{"result":"v"}`},
			{"method", request{method: "DELETE", path: "/get/foo"}, 405, ``},
			{"head", request{method: "HEAD", path: "/get/foo"}, 200, ``},
			{"base64", request{path: "/", body: `["GET","foo"]`, header: b64}, 200, `{"result":"dg=="}`},
			{"base64 leaves OK", request{path: "/", body: `["SET","ok","OK"]`, header: b64}, 200, `{"result":"OK"}`},
			{"base64 codes other statuses", request{path: "/", body: `["PING"]`, header: b64}, 200, `{"result":"UE9ORw=="}`},
			{"pipeline", request{path: "/pipeline", body: `[["SET","k","v"],["GET","k"],["INCR","k"],["NOPE"]]`}, 200,
				`[{"result":"OK"},{"result":"v"},{"error":"ERR value is not an integer or out of range"},{"error":"ERR Command is not available: 'NOPE'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"}]`},
			{"transaction", request{path: "/multi-exec", body: `[["SET","k","1"],["INCR","k"]]`}, 200, `[{"result":"OK"},{"result":2}]`},
			{"discarded", request{path: "/multi-exec", body: `[["SET","k","9"],["GET"]]`}, 400,
				`{"error":"EXECABORT Transaction discarded because of: ERR wrong number of arguments for 'get' command"}`},
			{"nothing of it ran", request{path: "/", body: `["GET","k"]`}, 200, `{"result":"2"}`},
			{"blocking", request{path: "/", body: `["BLPOP","a",1]`}, 400, `{"error":"ERR Command is not available: 'BLPOP'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"}`},
			{"ifeq refused", request{path: "/", body: `["SET","k","3","IFEQ","1"]`}, 200, `{"result":null}`},
			{"ifeq", request{path: "/", body: `["SET","k","3","IFEQ","2"]`}, 200, `{"result":"OK"}`},
		} {
			got := send(t, s, c.q)
			assert.Equal(t, c.want, got.status, c.name)
			assert.Equal(t, c.body, got.body, c.name)
		}
	})
}

func TestReadOnlyToken(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		ro := map[string]string{"Authorization": "Bearer " + s.ReadOnlyToken}
		got := send(t, s, request{path: "/", body: `["SET","k","v"]`, header: ro})
		assert.Equal(t, answer{400, `{"error":"NOPERM this user has no permissions to run the 'set' command or its subcommand"}`, got.header}, got)
		got = send(t, s, request{path: "/pipeline", body: `[["GET","k"],["SCAN",0]]`, header: ro})
		assert.Contains(t, got.body, `[{"result":null},{"error":"NOPERM`)
	})
}

func TestBill(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		defer s.ExpectBill(t, 4, 3)()
		do(t, s, "SET", "k", "v")
		send(t, s, request{path: "/pipeline", body: `[["GET","k"],["GET","k"],["GET"]]`})
		do(t, s, "INCR", "k") // fails, and is billed
		got := send(t, s, request{method: "GET", path: "/_restash/bill"})
		assert.JSONEq(t, `{"commands":4,"trips":3,"bytesIn":69,"bytesOut":161}`, got.body)
		assert.Equal(t, 401, send(t, s, request{method: "GET", path: "/_restash/bill", noToken: true}).status)
		assert.Equal(t, s.Bill(), s.BillOf(upstashtest.StandardName))
	})
}

func TestIntercept(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		remove := s.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.Path == "/pipeline" {
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
		assert.Equal(t, 503, send(t, s, request{path: "/pipeline", body: `[["PING"]]`}).status)
		assert.Equal(t, 200, do(t, s, "PING").status)
		remove()
		assert.Equal(t, 200, send(t, s, request{path: "/pipeline", body: `[["PING"]]`}).status)
	})
}

func TestTimeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		do(t, s, "SET", "k", "v", "EX", 60)
		time.Sleep(59 * time.Second)
		assert.Equal(t, `{"result":1}`, do(t, s, "TTL", "k").body)
		time.Sleep(time.Second)
		assert.Equal(t, `{"result":null}`, do(t, s, "GET", "k").body)
		do(t, s, "SET", "k", "v", "PX", 1500)
		s.FastForward(1499 * time.Millisecond)
		assert.Equal(t, `{"result":"v"}`, do(t, s, "GET", "k").body)
		s.FastForward(time.Millisecond)
		assert.Equal(t, `{"result":null}`, do(t, s, "GET", "k").body)
	})
}

func TestNoGoroutineAfterClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, inMemory := range []bool{false, true} {
		s, err := upstashtest.New(upstashtest.Config{InMemory: inMemory})
		require.NoError(t, err)
		do(t, s, "SET", "k", "v")
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	s := upstashtest.Run(t)
	addr := s.URL[len("http://"):]
	_, err := upstashtest.New(upstashtest.Config{Addr: addr})
	require.ErrorContains(t, err, addr)
}
