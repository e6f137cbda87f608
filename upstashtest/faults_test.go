package upstashtest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// try sends INCR n and returns status, body and error as a client sees them.
func try(t *testing.T, s *upstashtest.Server) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader(`["INCR","n"]`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	res, err := s.HTTPClient().Do(r)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(res.Body)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, string(body), err
}

func TestFaults(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		value := func() string {
			r, err := s.Do("GET", "n")
			require.NoError(t, err)
			return string(r.Bytes)
		}
		for _, c := range []struct {
			name   string
			do     upstashtest.Action
			status int // 0: no answer at all
			cut    bool
			body   string
			runs   bool
		}{
			{"status", upstashtest.Status(502, "<html>"), 502, false, "<html>", false},
			{"reset before", upstashtest.ResetBefore(), 0, false, "", false},
			{"reset after", upstashtest.ResetAfter(), 0, false, "", true},
			{"cut", upstashtest.CutBody(5), 200, true, `{"res`, true},
			{"drip", upstashtest.Drip(3, 0), 200, false, `{"result":1}`, true},
		} {
			_, err := s.Do("DEL", "n")
			require.NoError(t, err)
			remove := s.Faults(1, upstashtest.Fault{Do: c.do, Times: 1})
			status, body, err := try(t, s)
			assert.Equal(t, c.status, status, c.name)
			assert.Equal(t, c.body, body, c.name)
			assert.Equal(t, c.status == 0 || c.cut, err != nil, c.name)
			assert.Equal(t, c.runs, value() == "1", c.name)
			status, _, err = try(t, s)
			require.NoError(t, err, c.name)
			assert.Equal(t, 200, status, "once only: %s", c.name)
			remove()
		}
	})
}

func TestFaultsRepeatBySeed(t *testing.T) {
	run := func(seed uint64) (pattern string) {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		s.Faults(seed, upstashtest.Fault{Do: upstashtest.Status(500, ""), Chance: 0.5, Skip: 2})
		for range 40 {
			status, _, _ := try(t, s)
			pattern += map[int]string{200: "+", 500: "-"}[status]
		}
		return pattern
	}
	first := run(7)
	assert.Equal(t, first, run(7))
	assert.NotEqual(t, first, run(8))
	assert.Contains(t, first, "-")
	assert.Equal(t, "++", first[:2])
}

func TestFaultsSkipTimesAndPath(t *testing.T) {
	s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	s.Faults(1,
		upstashtest.Fault{Do: upstashtest.Status(500, ""), Path: "/pipeline"},
		upstashtest.Fault{Do: upstashtest.Status(503, ""), Skip: 2, Times: 3},
	)
	pattern := ""
	for range 8 {
		status, _, err := try(t, s)
		require.NoError(t, err)
		pattern += map[int]string{200: "+", 503: "-"}[status]
	}
	assert.Equal(t, "++---+++", pattern)
	assert.Equal(t, 500, send(t, s, request{path: "/pipeline", body: `[["PING"]]`}).status)
	assert.Equal(t, 200, send(t, s, request{path: "/multi-exec", body: `[["PING"]]`}).status)
}

func TestFaultsGarbageIsTheSameEachTime(t *testing.T) {
	bodies := map[string]bool{}
	for range 2 {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		s.Faults(3, upstashtest.Fault{Do: upstashtest.Garbage()})
		_, body, err := try(t, s)
		require.NoError(t, err)
		bodies[body] = true
	}
	assert.Len(t, bodies, 1)
}

func TestDelayInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		s.Faults(1, upstashtest.Fault{Do: upstashtest.Delay(time.Minute), Path: "/pipeline"})
		start := time.Now()
		do(t, s, "PING")
		assert.Zero(t, time.Since(start))
		send(t, s, request{path: "/pipeline", body: `[["PING"]]`})
		assert.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/pipeline", strings.NewReader(`[["INCR","n"]]`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+s.Token)
		_, err = s.HTTPClient().Do(r)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, `{"result":null}`, do(t, s, "GET", "n").body)
	})
}

func TestReplicaLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory, c.ReplicaLag = true, time.Second })
		start := time.Now()
		token := do(t, s, "SET", "k", "v", "EX", 10).header.Get("Upstash-Sync-Token")
		assert.Equal(t, `{"result":null}`, do(t, s, "GET", "k").body, "stale")
		got := send(t, s, request{path: "/", body: `["GET","k"]`, header: map[string]string{"Upstash-Sync-Token": token}})
		assert.Equal(t, `{"result":"v"}`, got.body, "waited")
		assert.Equal(t, token, got.header.Get("Upstash-Sync-Token"))
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, `{"result":9000}`, do(t, s, "PTTL", "k").body, "a late write does not live longer")

		do(t, s, "SADD", "s", "a", "b", "c")
		spop := do(t, s, "SPOP", "s").body
		id := do(t, s, "XADD", "x", "*", "f", "v").body
		s.FastForward(time.Second)
		assert.NotContains(t, do(t, s, "SMEMBERS", "s").body, spop[len(`{"result":`):len(spop)-1])
		assert.Contains(t, do(t, s, "XRANGE", "x", "-", "+").body, id[len(`{"result":`):len(id)-1])
		send(t, s, request{path: "/", body: `["GET","k"]`, header: map[string]string{"Upstash-Sync-Token": "nonsense"}})
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestEvict(t *testing.T) {
	s := upstashtest.Run(t)
	for _, args := range [][]string{{"SET", "a", "1"}, {"SET", "b", "1", "EX", "9"}, {"SET", "c", "1"}, {"SET", "d", "1", "EX", "9"}} {
		_, err := s.Do(args...)
		require.NoError(t, err)
	}
	assert.ElementsMatch(t, []string{"b", "d"}, s.Evict(2))
	assert.Len(t, s.Evict(9), 2)
	assert.Equal(t, `{"result":0}`, do(t, s, "DBSIZE").body)
}

// A fault hits the requests that hold a command or a key, in whatever form
// they come.
func TestFaultsSelectByCommandAndKey(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		broken := upstashtest.Status(503, "broken")
		for _, c := range []struct {
			fault      upstashtest.Fault
			path, body string
			hit        bool
		}{
			{upstashtest.Fault{Command: "set"}, "/", `["SET","a","1"]`, true},
			{upstashtest.Fault{Command: "SET"}, "/", `["GET","a"]`, false},
			{upstashtest.Fault{Command: "SET"}, "/set/a/1", "", true},
			{upstashtest.Fault{Command: "SET"}, "/set/a", "body", true},
			{upstashtest.Fault{Command: "SET"}, "/pipeline", `[["GET","a"],["SET","a","1"]]`, true},
			{upstashtest.Fault{Command: "XGROUP CREATE"}, "/", `["xgroup","create","s","g","$"]`, true},
			{upstashtest.Fault{Command: "XGROUP CREATE"}, "/", `["xgroup","destroy","s","g"]`, false},
			{upstashtest.Fault{Key: "user:*"}, "/multi-exec", `[["GET","a"],["MGET","b","user:1"]]`, true},
			{upstashtest.Fault{Key: "user:*"}, "/", `["SET","a","user:1"]`, false},
			{upstashtest.Fault{Command: "GET", Key: "user:*"}, "/pipeline", `[["GET","a"],["SET","user:1","x"]]`, false},
			{upstashtest.Fault{Key: "k"}, "/", `["EVAL","return 1",1,"k"]`, true},
			{upstashtest.Fault{Command: "SET"}, "/", `nonsense`, false},
			{upstashtest.Fault{Command: "SET", Path: "/pipeline"}, "/", `["SET","a","1"]`, false},
		} {
			c.fault.Do = broken
			remove := s.Faults(1, c.fault)
			got := send(t, s, request{path: c.path, body: c.body})
			assert.Equal(t, c.hit, got.body == "broken", "%s %s", c.path, c.body)
			remove()
		}
	})
}
