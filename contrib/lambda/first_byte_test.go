package lambda_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// What the figures stand on: a Redis so far away, and the loader of the refresher.
const (
	trip = 30 * time.Millisecond
	load = 250 * time.Millisecond
)

// firstByte is the median of seven answers in state: how long after the
// invocation their first byte is there.
func firstByte(t *testing.T, p *platform, state string, path func(n int) string) time.Duration {
	t.Helper()
	var took []time.Duration
	for n := range 7 {
		asked := time.Now()
		a := p.invoke(urlEvent("GET", path(n)))
		status, body := streamed(t, a)
		require.Equal(t, http.StatusOK, status, "%s", body)
		require.Equal(t, state, decode(t, body).State)
		took = append(took, a.first.Sub(asked))
		p.freeze()
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// The figures of README.md: the extension saves the caller of a miss the SET, and
// the caller of a stale value its refresh.
func TestFirstByteWaitsForNothingThatTheExtensionDoes(t *testing.T) {
	binary := build(t, "./testdata/refresher")
	measure := func(old string, env ...string) (miss, stale time.Duration) {
		server := upstashtest.Run(t)
		server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			time.Sleep(trip)
			next.ServeHTTP(w, r)
		})
		p := start(t, binary, append(redisEnv(server), env...)...)
		ask(t, p) // its loader is quick, once
		p.freeze()
		miss = firstByte(t, p, "MISS", func(n int) string { return fmt.Sprint("/", n) })
		return miss, firstByte(t, p, old, func(int) string { return "/" })
	}
	miss, stale := measure("STALE")
	missAlone, staleAlone := measure("MISS", "LAMBDA_EXTENSION=off") // the refresh that it waited for
	t.Logf("with the extension: miss %s, stale %s; without: miss %s, stale %s", miss, stale, missAlone, staleAlone)
	assert.Greater(t, miss, trip+load)
	assert.Greater(t, missAlone-miss, trip/2, "without, a miss waits for its SET")
	assert.Less(t, stale, trip+load/2, "one read")
	assert.Greater(t, staleAlone, trip+load, "without, a stale answer waits for its refresh")
}
