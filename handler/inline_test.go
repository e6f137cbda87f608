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
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// The refresh of a stale answer comes behind the answer, inside its request.
func TestInlineRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t, func(c *strategies.StoreConfig) { c.Executor = strategies.Inline(300 * time.Millisecond) })
		cfg := handler.Config{Prefix: "swr", TTL: time.Minute, StaleWhileRevalidate: time.Hour}
		var runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) {
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
		assert.Equal(t, "1", rig.Get(mux, "/x").Body)
		for _, want := range [][2]string{{"1", "STALE"}, {"2", "STALE"}, {"2", "STALE"}, {"2", "STALE"}, {"2", "STALE"}, {"2", "STALE"}} {
			time.Sleep(2 * time.Minute)
			a := rig.Get(mux, "/x")
			assert.Equal(t, want, [2]string{a.Body, a.Cache()}, a.CacheStatus())
			assert.Empty(t, a.Header.Get("Set-Cookie"))
			assert.Equal(t, 200, a.Status)
		}
		a := rig.Get(mux, "/x")
		assert.Equal(t, []string{"7", "HIT"}, []string{a.Body, a.Cache()})
	})
}
