package upstashtest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

func limited(t *testing.T, l upstashtest.Limits) *upstashtest.Server {
	t.Helper()
	return upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory, c.Limits = true, l })
}

func TestLimitsRequest(t *testing.T) {
	s := limited(t, upstashtest.Limits{Request: 100, Key: 20})
	got := do(t, s, "SET", "k", strings.Repeat("x", 97))
	assert.Equal(t, 413, got.status)
	assert.Contains(t, got.body, "ERR max request size exceeded. Limit: 100 bytes, Actual: 101 bytes. See ")
	assert.Equal(t, 200, do(t, s, "SET", "k", strings.Repeat("x", 96)).status)
	// A whole pipeline may be larger, and so may its answer.
	got = send(t, s, request{path: "/pipeline", body: `[["GET","k"],["GET","k"],["GET","k"]]`})
	assert.NotContains(t, got.body, "error")
	// One reply may not: an error, with status 200.
	got = do(t, s, "MGET", "k", "k")
	assert.Equal(t, 200, got.status)
	assert.Contains(t, got.body, `{"error":"ERR max request size exceeded. Limit: 100 bytes, Actual: 192 bytes`)

	got = do(t, s, "GET", strings.Repeat("k", 21))
	assert.Equal(t, 400, got.status)
	assert.Equal(t, `{"error":"ERR max key size exceeded. Limit: 20 bytes, Actual: 21 bytes"}`, got.body)

	got = send(t, s, request{path: "/multi-exec", body: `[["SET","a","1"],["SET","k","` + strings.Repeat("x", 97) + `"]]`})
	assert.Equal(t, 413, got.status)
	assert.True(t, strings.HasPrefix(got.body, `{"error":"ERR max request size exceeded`), got.body)
	assert.Equal(t, `{"result":null}`, do(t, s, "GET", "a").body)
}

func TestLimitsRecord(t *testing.T) {
	s := limited(t, upstashtest.Limits{Record: 400})
	for range 2 {
		assert.Equal(t, 200, do(t, s, "RPUSH", "l", strings.Repeat("x", 100)).status)
	}
	got := do(t, s, "RPUSH", "l", strings.Repeat("x", 100))
	assert.Equal(t, 400, got.status)
	assert.Equal(t, `{"error":"ERR max single record size exceeded"}`, got.body)
	assert.Equal(t, `{"result":2}`, do(t, s, "LLEN", "l").body)
	assert.Equal(t, 200, do(t, s, "LPOP", "l").status, "deleting works")
	assert.Equal(t, 200, do(t, s, "RPUSH", "l", "x").status, "and makes room")
}

func TestLimitsData(t *testing.T) {
	s := limited(t, upstashtest.Limits{Data: 1000})
	for i := range 5 {
		assert.Equal(t, 200, do(t, s, "SET", fmt.Sprint("k", i), strings.Repeat("x", 100), "EX", 100).status)
	}
	got := do(t, s, "SET", "more", strings.Repeat("x", 300))
	assert.Equal(t, `{"error":"ERR DB capacity quota exceeded"}`, got.body)
	assert.Equal(t, 200, do(t, s, "DEL", "k1").status)

	s = limited(t, upstashtest.Limits{Data: 1000, Evict: true})
	do(t, s, "SET", "stays", strings.Repeat("x", 100))
	for i := range 50 {
		require.Equal(t, 200, do(t, s, "SET", fmt.Sprint("k", i), strings.Repeat("x", 100), "EX", 100).status)
	}
	assert.Equal(t, `{"result":1}`, do(t, s, "EXISTS", "stays").body, "keys with a TTL go first")
	assert.Equal(t, `{"result":6}`, do(t, s, "DBSIZE").body)
}

func TestLimitsQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limited(t, upstashtest.Limits{Daily: 4, Monthly: 6})
		do(t, s, "EVAL", "redis.call('INCR','n') return redis.call('GET','n')", 0) // three
		assert.Equal(t, 200, do(t, s, "GET", "n").status)
		got := do(t, s, "GET", "n")
		assert.Equal(t, 400, got.status)
		assert.Contains(t, got.body, "ERR max daily request limit exceeded. Limit: 4, Usage: 5. See ")
		assert.Equal(t, 200, do(t, s, "PING").status, "costs nothing")
		s.FastForward(24 * time.Hour)
		do(t, s, "GET", "n")
		do(t, s, "GET", "n")
		assert.Contains(t, do(t, s, "GET", "n").body, "ERR max requests limit exceeded. Limit: 6, Usage: 6. See ")
		s.FastForward(31 * 24 * time.Hour)
		assert.Equal(t, 200, do(t, s, "GET", "n").status)
	})
}

func TestLimitsPerSecondThrottles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limited(t, upstashtest.Limits{PerSecond: 10})
		start := time.Now()
		for range 30 {
			require.Equal(t, 200, do(t, s, "INCR", "n").status)
		}
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestLimitsPendingEntries(t *testing.T) {
	s := limited(t, upstashtest.Limits{Pending: 3})
	do(t, s, "XGROUP", "CREATE", "x", "g", "0", "MKSTREAM")
	for range 5 {
		do(t, s, "XADD", "x", "*", "f", "v")
	}
	assert.Equal(t, 200, do(t, s, "XREADGROUP", "GROUP", "g", "c", "COUNT", 2, "STREAMS", "x", ">").status)
	got := do(t, s, "XREADGROUP", "GROUP", "g", "c", "COUNT", 2, "STREAMS", "x", ">")
	assert.Equal(t, 400, got.status)
	assert.Contains(t, got.body, "ERR XReadGroup is cancelled. Pending Entries List limit per consumer is about to be reached. Limit: 3")
}

func TestLimitsPlans(t *testing.T) {
	s := limited(t, upstashtest.Free)
	assert.Equal(t, 200, do(t, s, "SET", "k", "v").status)
	assert.Equal(t, 413, do(t, s, "SET", "k", strings.Repeat("x", 10<<20)).status)
	s = limited(t, upstashtest.Limits{Request: upstashtest.NoLimit})
	assert.Equal(t, 200, do(t, s, "SET", "k", strings.Repeat("x", 10<<20)).status)
}
