package handler_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// The refresh of a stale answer comes behind the answer, inside its request.
func TestInlineRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *strategies.StoreConfig) { c.Executor = strategies.Inline(300 * time.Millisecond) })
		cfg := handler.Config{Prefix: "swr", TTL: time.Minute, StaleWhileRevalidate: time.Hour}
		var runs atomic.Int64
		mux := route(r.store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) {
			n := runs.Add(1)
			switch n {
			case 3:
				w.Header().Set("Set-Cookie", "a=b")
			case 4:
				panic("boom")
			case 5:
				w.WriteHeader(http.StatusBadGateway)
			case 6:
				w.Write(make([]byte, 600<<10))
			}
			fmt.Fprint(w, n)
		})
		assert.Equal(t, "1", get(mux, "/x").Body)
		for _, want := range [][2]string{{"1", "STALE"}, {"2", "STALE"}, {"2", "STALE"}, {"2", "STALE"}, {"2", "STALE"}, {"2", "STALE"}} {
			time.Sleep(2 * time.Minute)
			a := get(mux, "/x")
			assert.Equal(t, want, [2]string{a.Body, a.cache()}, a.status())
			assert.Empty(t, a.Header.Get("Set-Cookie"))
			assert.Equal(t, 200, a.Status)
		}
		a := get(mux, "/x")
		assert.Equal(t, []string{"7", "HIT"}, []string{a.Body, a.cache()})
	})
}

func TestMetricsOfTheFleet(t *testing.T) {
	r := newRig(t, func(c *strategies.StoreConfig) { c.FleetMetrics = true })
	var runs atomic.Int64
	mux := route(r.store, "GET /x", listConfig(), counting(&runs))
	get(mux, "/x")
	get(mux, "/x")
	a := get(handler.Metrics(r.store), "/")
	assert.Contains(t, a.Body, `{"metrics":{"hits":1,"misses":1,`)
	assert.Contains(t, a.Body, `"scope":"fleet"`)
}
