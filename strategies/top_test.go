package strategies_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// The keys that miss most are found among more keys than are counted, and
// loaders are timed.
func TestStatsTopMissesAndLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := strategies.NewStore(nil, strategies.StoreConfig{})
		require.NoError(t, err)
		cached := newStore(t, upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true }))
		c := strategies.New[int](cached, strategies.Config{Name: "n", TTL: time.Millisecond})
		load := func(context.Context, string) (int, error) { time.Sleep(20 * time.Millisecond); return 1, nil }
		for i := range 300 {
			for _, key := range []string{fmt.Sprint("rare", i), "often"} {
				_, err := c.Get(t.Context(), key, load)
				require.NoError(t, err)
				time.Sleep(2 * time.Millisecond)
			}
		}
		top := cached.TopMisses(3)
		require.Len(t, top, 3)
		assert.Equal(t, strategies.KeyMisses{Name: "n", Key: "often", Misses: 300}, top[0])
		assert.Less(t, top[1].Misses, int64(20), "600 misses among 64 counters")
		st := c.Stats()
		assert.Equal(t, 20*time.Millisecond, st.AvgLoad)
		assert.InDelta(t, 20, st.LoadP50.Milliseconds(), 3)
		assert.InDelta(t, 20, st.LoadP99.Milliseconds(), 3)
		assert.Empty(t, store.TopMisses(3))
	})
}
