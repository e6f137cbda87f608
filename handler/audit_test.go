package handler_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// The audit of a hit runs the handler behind the answer and within its request,
// for nobody: what it says and panics with goes nowhere.
func TestAuditOfARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t, func(c *strategies.StoreConfig) { c.Audit = 1 })
		var says, runs, outside atomic.Int64
		answered := false
		page := handler.Cache(r.Store, handler.Config{Prefix: "page", TTL: time.Hour, Public: true})(
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if answered {
					outside.Add(1)
				}
				runs.Add(1)
				w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
				fmt.Fprintf(w, "page %d", says.Load())
			}))
		ask := func() *httptest.ResponseRecorder {
			answered = false
			w := httptest.NewRecorder()
			page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/page", nil))
			answered = true
			time.Sleep(2 * time.Second)
			return w
		}
		assert.Equal(t, "MISS", ask().Header().Get("X-Cache"))
		w := ask()
		assert.Equal(t, "HIT", w.Header().Get("X-Cache"))
		assert.Equal(t, "page 0", w.Body.String(), "once")
		st := r.Store.Stats()
		assert.Equal(t, [2]int64{1, 0}, [2]int64{st.Audited, st.Outdated}, "another Date is no difference")
		says.Store(1)
		w = ask()
		assert.Equal(t, "page 0", w.Body.String())
		st = r.Store.Stats()
		assert.Equal(t, [2]int64{2, 1}, [2]int64{st.Audited, st.Outdated})
		assert.Equal(t, "page 0", ask().Body.String(), "an audit stores nothing")
		assert.EqualValues(t, 4, runs.Load())
		assert.Zero(t, outside.Load(), "never outside its request")
	})
}
