package ops

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/json"
	"github.com/cldcde/restash/strategies"
)

// The numbers are those of the original's documentation, whose hitRate of 0.68
// is rounded down.
func TestMetricsDocumentIsTheOriginals(t *testing.T) {
	golden, err := os.ReadFile("testdata/metrics.json")
	require.NoError(t, err)
	got, err := json.Marshal(document{Metrics: basicsOf(1234, 567, 12, 23450*time.Microsecond)})
	require.NoError(t, err)
	assert.Equal(t, string(golden), string(got)+"\n")
}

func TestMetricsDocumentSaysWhatTheQuotaLeavesOut(t *testing.T) {
	assert.Nil(t, quotaOf(strategies.QuotaStats{}), "no quota")
	got, err := json.Marshal(quotaOf(strategies.QuotaStats{Period: "month", Limit: 500, Used: 490, Saving: strategies.SaveClasses}))
	require.NoError(t, err)
	assert.Equal(t, `{"period":"month","limit":500,"used":490,"saving":"classes"}`, string(got))
}
