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
	"github.com/cldcde/restash/handler/internal/rig"
)

// After the first answer that may not be stored nobody waits for anybody, and
// Redis is not asked.
func TestPassWhatIsNotStoredIsNotWaitedFor(t *testing.T) {
	for name, cache := range both(handler.Config{Prefix: "x", TTL: time.Minute}) {
		for _, control := range []string{"private", "no-store", "max-age=0", "no-cache"} {
			synctest.Test(t, func(t *testing.T) {
				r := rig.New(t)
				const clients = 50
				var here atomic.Int64
				all := make(chan struct{})
				h := cache(r.Store)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Cache-Control", control)
					if here.Add(1) == clients+1 {
						close(all)
					}
					if here.Load() > 1 {
						<-all // all of them at once, or nobody ever
					}
					io.WriteString(w, "x")
				}))
				rig.Get(h, "/x")
				r.Bill(0, 0, func() {
					var wg sync.WaitGroup
					for range clients {
						wg.Go(func() { assert.Equal(t, "x", rig.Get(h, "/x").Body, name) })
					}
					wg.Wait()
				})
			})
		}
	}
}

// It is asked again after a while: an answer may have become storable.
func TestPassEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		private := true
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			if private {
				w.Header().Set("Cache-Control", "private")
			}
			io.WriteString(w, "x")
		})
		assert.Equal(t, []string{"MISS", "BYPASS"}, []string{rig.Get(mux, "/x").Cache(), rig.Get(mux, "/x").Cache()})
		private = false
		assert.Equal(t, "BYPASS", rig.Get(mux, "/x").Cache())
		time.Sleep(31 * time.Second)
		assert.Equal(t, []string{"MISS", "HIT"}, []string{rig.Get(mux, "/x").Cache(), rig.Get(mux, "/x").Cache()})
		// An error is no reason to go around the cache.
		failing := rig.Mount(r.Store, "GET /y", handler.Details.Config("y"), func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) })
		assert.Equal(t, []string{"MISS", "MISS"}, []string{rig.Get(failing, "/y").Cache(), rig.Get(failing, "/y").Cache()})
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
func TestPassStreamsAreNotWaitedFor(t *testing.T) {
	for name, cache := range both(handler.Config{Prefix: "x", TTL: time.Minute}) {
		r := rig.New(t)
		end := make(chan struct{})
		srv := httptest.NewServer(cache(r.Store)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
func TestPassASlowPageIsFollowed(t *testing.T) {
	r := rig.New(t)
	seen := make(chan struct{})
	piece := strings.Repeat("x", 16<<10)
	h := handler.Cache(r.Store, rig.ListConfig())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, piece)
		<-seen
		io.WriteString(w, "end")
	}))
	srv := httptest.NewServer(h)
	defer srv.Close()
	assert.Equal(t, piece[:4096], reads(t, srv.URL, 4096))
	close(seen)
	assert.Eventually(t, func() bool { a := rig.Get(h, "/"); return a.Cache() == "HIT" && a.Body == piece+"end" }, 5*time.Second, 5*time.Millisecond, "it is stored all the same")
}
