package handler_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/warm"
)

// A warm-up's report counts what it cost itself, whatever readers do meanwhile,
// and what it asks is no reader's hit or miss.
func TestWarmCountsItsOwnAlone(t *testing.T) {
	steps := map[string]func(http.Handler, ...string) warm.Step{
		"preset":     func(h http.Handler, urls ...string) warm.Step { return handler.Warm(rig.ListConfig(), h, urls...) },
		"by headers": func(h http.Handler, urls ...string) warm.Step { return httpcache.Warm(httpcache.Config{}, h, urls...) },
	}
	for name, cache := range both(rig.ListConfig()) {
		t.Run(name, func(t *testing.T) {
			run := func(traffic bool) (warm.Report, int64) {
				r := rig.New(t)
				var runs atomic.Int64
				readers := rig.Mount(r.Store, "GET /x", handler.Details.Config("x"), rig.Counting(&runs))
				made := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if traffic {
						for range 20 {
							rig.Get(readers, "/x")
						}
					}
					w.Header().Set("Cache-Control", "max-age=60")
				})
				mux := http.NewServeMux()
				mux.Handle("GET /list", cache(r.Store)(made))
				report, err := warm.Run(t.Context(), r.Store, steps[name](mux, "/list", "/list?page=2"))
				require.NoError(t, err)
				require.Equal(t, 2, report.Warmed)
				stats := r.Store.Stats()
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
