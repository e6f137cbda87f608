package strategies_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

// In a bubble, where 36 MB of base64 under a race detector take no time of the
// Store's budget.
func TestGetManyIsCutBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		c := strategies.New[string](newStore(t, srv), strategies.Config{Name: "big", TTL: time.Hour, Advanced: strategies.Advanced{CompressFrom: -1}})
		value := strings.Repeat("x", 100<<10)
		keys := make([]string, 120) // 12 MB in all, over the 10 MB that one reply may have
		for i := range keys {
			keys[i] = fmt.Sprint(i)
		}
		load := func(_ context.Context, keys []string) (map[string]string, error) {
			m := map[string]string{}
			for _, k := range keys {
				m[k] = value
			}
			return m, nil
		}
		for range 3 {
			got, err := c.GetMany(t.Context(), keys, load)
			require.NoError(t, err)
			assert.Len(t, got, 120)
		}
		before := srv.Bill()
		var st strategies.Status
		_, err := c.GetMany(t.Context(), keys, load, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, strategies.Hit, st.State)
		assert.LessOrEqual(t, srv.Bill().Sub(before).Trips, int64(5))
	})
}
