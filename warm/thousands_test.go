package warm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

// What a warm-up of values of 1 KiB promises: the heap grows with a batch, not
// with the plan, and it takes at most so many times as long as its commands
// alone (2.1 to 2.9 measured, so that half the speed is a failure).
const (
	mostHeap  = 40 << 20
	mostTimes = 4.0
)

// elsewhere starts a local server in another process.
func elsewhere(t *testing.T) (url, token string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "WARM_TEST_SERVER=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	_, err = fmt.Fscanln(out, &url, &token)
	require.NoError(t, err)
	return url, token
}

// billed is how many commands the server has billed.
func billed(t *testing.T, url, token string) (commands int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/_restash/bill", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var bill struct{ Commands int }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&bill))
	return bill.Commands
}

// peak watches the heap, garbage included, until stop returns the most it was.
func peak() (stop func() uint64) {
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		var most uint64
		for {
			metrics.Read(heap)
			most = max(most, heap[0].Value.Uint64())
			select {
			case <-done:
				result <- most
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(done); return <-result }
}

// warmThousands warms n keys in a namespace of their own, and returns by how much
// the heap grew and how long it took.
func warmThousands(t *testing.T, url, token, namespace string, keys []string) (grown uint64, took time.Duration) {
	t.Helper()
	c, err := client.New(client.Config{URL: url, Token: token})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	store, err := strategies.NewStore(c, strategies.StoreConfig{Namespace: namespace, Budget: time.Minute})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close(context.Background())) }()
	value := strings.Repeat("0123456789abcdef", 64)
	load := func(_ context.Context, keys []string) (map[string]string, error) {
		m := make(map[string]string, len(keys))
		for _, k := range keys {
			m[k] = value
		}
		return m, nil
	}
	plan := warm.Plan{Steps: []warm.Step{warm.Keys("users", userCache(store), keys, load)}}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	bill, stop, began := billed(t, url, token), peak(), time.Now()
	rep, err := plan.Run(t.Context(), store, warm.Options{})
	took, most := time.Since(began), stop()
	require.NoError(t, err)
	batches := (len(keys) + 499) / 500
	assert.Equal(t, []int{len(keys), 0, 0}, []int{rep.Warmed, rep.Fresh, rep.Failed})
	renewals := int(took / (warm.DefaultLease / 3))
	assert.InDelta(t, 2*batches+2, rep.Commands, float64(renewals), "two a batch, and the lease")
	assert.Equal(t, rep.Commands, billed(t, url, token)-bill)
	return most - min(most, before.HeapAlloc), took
}

func TestPlanOfThousandsNeedsTheHeapOfABatch(t *testing.T) {
	url, token := elsewhere(t)
	for _, n := range []int{10_000, 100_000} {
		if n > 10_000 && (racing || testing.Short()) {
			break
		}
		grown, took := warmThousands(t, url, token, fmt.Sprint("heap", n), names(n))
		t.Logf("%d keys: %s, %.0f a second, heap grew by %.1f MiB", n, took, float64(n)/took.Seconds(), float64(grown)/(1<<20))
		assert.LessOrEqual(t, grown, uint64(mostHeap), "%d keys", n)
	}
}

// writeThousands writes keys as a program without a cache would: batches of 500
// that are read and then written, one command each. It returns how long that took.
func writeThousands(t *testing.T, url, token, namespace string, keys []string) time.Duration {
	t.Helper()
	c, err := client.New(client.Config{URL: url, Token: token})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	value := strings.Repeat("0123456789abcdef", 64)
	began := time.Now()
	for batch := range slices.Chunk(keys, 500) {
		names, values := make([]string, len(batch)), make(map[string]any, len(batch))
		for i, k := range batch {
			names[i] = namespace + ":" + k
			values[names[i]] = value
		}
		_, err := c.MGet(t.Context(), names...)
		require.NoError(t, err)
		_, err = c.MSetEX(t.Context(), values, command.EX(time.Minute))
		require.NoError(t, err)
	}
	return time.Since(began)
}

// How many keys a second a machine warms is its own affair (20,000 and more where
// nothing else runs); what the warm-up adds to its commands is ours. The two take
// turns, and the median of their ratios counts: a busy machine slows both.
func TestPlanOfThousandsIsFast(t *testing.T) {
	if racing || testing.Short() {
		t.Skip("measures time")
	}
	url, token := elsewhere(t)
	keys := names(10_000)
	ratios, best := make([]float64, 9), time.Hour
	for i := range ratios {
		without := writeThousands(t, url, token, fmt.Sprint("bare", i), keys)
		_, with := warmThousands(t, url, token, fmt.Sprint("fast", i), keys)
		ratios[i], best = with.Seconds()/without.Seconds(), min(best, with)
	}
	slices.Sort(ratios)
	t.Logf("%.2f times the commands alone (%.2f to %.2f), %.0f keys a second", ratios[4], ratios[0], ratios[8], 10_000/best.Seconds())
	assert.LessOrEqual(t, ratios[4], mostTimes)
}
