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

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/upstashtest"
)

// A thousand clients on a cold key are one run of the handler.
func TestAThousandClientsAreOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		var runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			runs.Add(1)
			time.Sleep(100 * time.Millisecond)
			io.WriteString(w, "x")
		})
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { assert.Equal(t, "x", rig.Get(mux, "/x").Body) })
		}
		all.Wait()
		assert.EqualValues(t, 1, runs.Load())
	})
}

// A request that goes around the cache allocates the field that says so.
func TestABypassAllocatesTwice(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates by itself")
	}
	cfg := rig.ListConfig()
	cfg.Public = false
	h := handler.Cache(rig.New(t).Store, cfg)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	req := httptest.NewRequest(http.MethodGet, "/x", nil)
	req.Header.Set("Cookie", "session=1")
	w := &sink{header: http.Header{}}
	got := testing.AllocsPerRun(1000, func() {
		clear(w.header)
		h.ServeHTTP(w, req)
	})
	assert.LessOrEqual(t, got, 2.0)
}

// A hit of 1 KiB allocates little more than the MGET that it is.
func TestAHitAllocatesLittleAboveItsMGET(t *testing.T) {
	if raced {
		t.Skip("the race detector empties pools at random")
	}
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	defer c.Close()
	body := strings.Repeat("0123456789abcdef", 64)
	mux := rig.Mount(rig.NewStoreOn(t, c), "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
	require.Equal(t, "MISS", rig.Get(mux, "/x?page=2").Cache())
	_, err = c.Set(t.Context(), "bare", body)
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodGet, "/x?page=2", nil)
	hit := testing.AllocsPerRun(500, func() {
		w := &sink{header: http.Header{}}
		mux.ServeHTTP(w, req)
	})
	bare := testing.AllocsPerRun(500, func() { _, _ = c.MGet(t.Context(), "bare", "g", "p0", "k", "p1", "t1") })
	t.Logf("a hit %v allocations, its MGET %v", hit, bare)
	assert.LessOrEqual(t, hit-bare, 60.0)
}
