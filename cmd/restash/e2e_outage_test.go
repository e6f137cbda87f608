//go:build !race && unix

package main_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everyRoute is a request to each GET route that is cached.
var everyRoute = []string{
	"/api/extensions", "/api/extensions/openai-codex", "/api/mcp", "/api/mcp/fastmcp", "/api/categories", "/api/stats",
	"/api/users/openai", "/api/users/openai/extensions", "/api/users/openai/mcp", "/api/users/openai/stats",
	"/api/featured/extensions", "/api/featured/mcp",
}

// slack is what a busy machine may add to one request.
const slack = 300 * time.Millisecond

// TestDevSurvivesRedis kills a REST server that runs apart from dev.
func TestDevSurvivesRedis(t *testing.T) {
	const token = "a-token-of-this-test"
	redis := start(t, nil, "serve", "--addr", "127.0.0.1:0", "--token", token)
	lines := redis.until(`^UPSTASH_REDIS_REST_URL=`)
	address := strings.TrimPrefix(strings.Fields(lines[len(lines)-1])[0], "UPSTASH_REDIS_REST_URL=")
	d := dev(t, []string{"UPSTASH_REDIS_REST_URL=" + address, "UPSTASH_REDIS_REST_TOKEN=" + token}, "--breaker-open", "2s")
	plain := dev(t, nil, "--no-cache")
	const path = "/api/extensions?category=devtools"
	d.expect(hit, path)
	require.Equal(t, "closed", d.metrics().Cache.Breaker)

	redis.end(syscall.SIGKILL)
	usual := plain.expect(bypass, path).took
	for range 5 {
		a := d.get(path)
		assert.Equal(t, http.StatusOK, a.status)
		assert.NotEqual(t, hit, a.state())
		assert.Less(t, a.took, usual+time.Second+slack, "a failing request costs a second at most")
		t.Logf("a failing request took %s, one without a cache %s", a.took, usual)
	}
	assert.Equal(t, "open", d.metrics().Cache.Breaker)
	for _, route := range everyRoute {
		d.expect(bypass, route)
	}
	assertAsFastAs(t, d, plain, path)

	restarted := start(t, nil, "serve", "--addr", strings.TrimPrefix(address, "http://"), "--token", token)
	restarted.until(`^UPSTASH_REDIS_REST_URL=`)
	require.Eventually(t, func() bool {
		a := d.get(path)
		return d.metrics().Cache.Breaker == "closed" && a.state() == hit
	}, 15*time.Second, 100*time.Millisecond, "the breaker closes by itself")
}

// assertAsFastAs compares the medians of 200 requests to each, taken in turn so
// that whatever else runs on this machine disturbs both alike.
func assertAsFastAs(t *testing.T, open, plain *running, path string) {
	t.Helper()
	var ratio float64
	for range 3 { // a busy machine may spoil a round
		var a, b []time.Duration
		for range 200 {
			a = append(a, open.get(path).took)
			b = append(b, plain.get(path).took)
		}
		ratio = float64(median(a)) / float64(median(b))
		t.Logf("p50 with an open breaker %s, without a cache %s, ratio %.2f, breaker %s", median(a), median(b), ratio, open.metrics().Cache.Breaker)
		if ratio <= 1.2 {
			return
		}
	}
	assert.LessOrEqual(t, ratio, 1.2, "p50 with an open breaker / p50 without a cache")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// TestDevSurvivesAFrozenRedis stops the REST server without closing its
// connections: requests are taken and never answered.
func TestDevSurvivesAFrozenRedis(t *testing.T) {
	redis := start(t, nil, "serve", "--addr", "127.0.0.1:0", "--token", "t")
	lines := redis.until(`^UPSTASH_REDIS_REST_URL=`)
	d := dev(t, append(strings.Fields(lines[len(lines)-1]), "DATABASE_URL="))
	freeze(t, redis.cmd.Process)
	for range 5 {
		a := d.get("/api/stats")
		assert.Equal(t, http.StatusOK, a.status)
		assert.Less(t, a.took, time.Second+slack)
	}
	assert.Equal(t, "open", d.metrics().Cache.Breaker)
	assert.Less(t, d.expect(bypass, "/api/stats").took, slack)
}

// freeze stops a process until the test ends. The signal takes effect when the
// process is next scheduled: on a busy machine that may be after it answered.
func freeze(t *testing.T, p *os.Process) {
	t.Helper()
	require.NoError(t, p.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = p.Signal(syscall.SIGCONT) })
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
		_, rest, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(rest, "T") // no /proc: not Linux
	}, 10*time.Second, 5*time.Millisecond)
}
