package handler_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
)

// After the first answer that may not be stored nobody waits for anybody, and
// Redis is not asked.
func TestPass_whatIsNotStoredIsNotWaitedFor(t *testing.T) {
	for name, cfg := range map[string]handler.Config{"preset": {Prefix: "x", TTL: time.Minute}, "by headers": {}} {
		for _, control := range []string{"private", "no-store", "max-age=0", "no-cache"} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				const clients = 50
				var here atomic.Int64
				all := make(chan struct{})
				h := handler.Cache(r.store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Cache-Control", control)
					if here.Add(1) == clients+1 {
						close(all)
					}
					if here.Load() > 1 {
						<-all // all of them at once, or nobody ever
					}
					io.WriteString(w, "x")
				}))
				get(h, "/x")
				r.bill(0, 0, func() {
					var wg sync.WaitGroup
					for range clients {
						wg.Go(func() { assert.Equal(t, "x", get(h, "/x").Body, name) })
					}
					wg.Wait()
				})
			})
		}
	}
}

// It is asked again after a while: an answer may have become storable.
func TestPass_ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		private := true
		mux := route(r.store, "GET /x", listConfig(), func(w http.ResponseWriter, _ *http.Request) {
			if private {
				w.Header().Set("Cache-Control", "private")
			}
			io.WriteString(w, "x")
		})
		assert.Equal(t, []string{"MISS", "BYPASS"}, []string{get(mux, "/x").cache(), get(mux, "/x").cache()})
		private = false
		assert.Equal(t, "BYPASS", get(mux, "/x").cache())
		time.Sleep(31 * time.Second)
		assert.Equal(t, []string{"MISS", "HIT"}, []string{get(mux, "/x").cache(), get(mux, "/x").cache()})
		// An error is no reason to go around the cache.
		failing := route(r.store, "GET /y", handler.Details.Config("y"), func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) })
		assert.Equal(t, []string{"MISS", "MISS"}, []string{get(failing, "/y").cache(), get(failing, "/y").cache()})
	})
}

// reads opens a GET and returns its first bytes, without waiting for the rest.
func reads(t *testing.T, url string, n int) string {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	first := make([]byte, n)
	_, err = io.ReadFull(res.Body, first)
	require.NoError(t, err)
	return string(first)
}

// A second client of a stream does not wait for the first one's end.
func TestPass_streamsAreNotWaitedFor(t *testing.T) {
	for name, cfg := range map[string]handler.Config{"preset": {Prefix: "x", TTL: time.Minute}, "by headers": {}} {
		r := newRig(t)
		end := make(chan struct{})
		srv := httptest.NewServer(handler.Cache(r.store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-ndjson")
			w.Header().Set("Cache-Control", "max-age=60")
			io.WriteString(w, "{\"n\":1}\n")
			w.(http.Flusher).Flush()
			<-end
		})))
		assert.Equal(t, "{\"n\":1}\n", reads(t, srv.URL, 8), name)
		assert.Equal(t, "{\"n\":1}\n", reads(t, srv.URL, 8), name)
		close(end)
		srv.Close()
	}
}

// A page that is written in pieces, without Flush, comes as it is written: its
// first piece does not wait for the second.
func TestPass_aSlowPageIsFollowed(t *testing.T) {
	r := newRig(t)
	seen := make(chan struct{})
	piece := strings.Repeat("x", 16<<10)
	h := handler.Cache(r.store, listConfig())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, piece)
		<-seen
		io.WriteString(w, "end")
	}))
	srv := httptest.NewServer(h)
	defer srv.Close()
	assert.Equal(t, piece[:4096], reads(t, srv.URL, 4096))
	close(seen)
	assert.Eventually(t, func() bool { a := get(h, "/"); return a.cache() == "HIT" && a.Body == piece+"end" }, 5*time.Second, 5*time.Millisecond, "it is stored all the same")
}
