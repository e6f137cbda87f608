package handler_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/warm"
)

// A warm-up's report counts what it cost itself, whatever readers do meanwhile,
// and what it asks is no reader's hit or miss.
func TestWarm_countsItsOwnAlone(t *testing.T) {
	for name, cfg := range map[string]handler.Config{"preset": listConfig(), "by headers": {}} {
		t.Run(name, func(t *testing.T) {
			run := func(traffic bool) (warm.Report, int64) {
				r := newRig(t)
				var runs atomic.Int64
				readers := route(r.store, "GET /x", handler.Details.Config("x"), counting(&runs))
				made := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if traffic {
						for range 20 {
							get(readers, "/x")
						}
					}
					w.Header().Set("Cache-Control", "max-age=60")
				})
				mux := route(r.store, "GET /list", cfg, made)
				report, err := warm.Run(t.Context(), r.store, handler.Warm(cfg, mux, "/list", "/list?page=2"))
				require.NoError(t, err)
				require.Equal(t, 2, report.Warmed)
				stats := r.store.Stats()
				return report, stats.Hits + stats.Misses
			}
			alone, none := run(false)
			assert.Zero(t, none, "a warm-up is no reader")
			among, reads := run(true)
			assert.EqualValues(t, 40, reads)
			assert.Equal(t, []int{alone.Commands, alone.Trips}, []int{among.Commands, among.Trips})
		})
	}
}
