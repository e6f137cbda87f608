package handler_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/warm"
)

func TestWhatIsWarmedIsHit(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	cfg := rig.ListConfig()
	cfg.Tags = []string{"extensions", "page:{page}"}
	app := func() *http.ServeMux { return rig.Mount(r.Store, "GET /api/extensions", cfg, rig.Counting(&runs)) }
	urls := []string{"/api/extensions", "/api/extensions?sort=recent", "/api/extensions?page=2&utm=x", "/api/extensions?sort=downloads"}
	step := handler.Warm(cfg, app(), urls...)
	var rep warm.Report
	var err error
	r.Bill(2, 2, func() { rep, err = warm.Run(t.Context(), r.Store, step) })
	require.NoError(t, err)
	assert.Equal(t, "warmed 3, fresh 0, failed 0, commands 2, trips 2", rep.String())
	assert.EqualValues(t, 3, runs.Load())

	// Another process serves: another Store, another mux, other Host values.
	other := rig.NewStore(t, r.Srv)
	mux := rig.Mount(other, "GET /api/extensions", cfg, rig.Counting(&runs))
	for _, u := range urls {
		for _, host := range []string{"localhost", "127.0.0.1:3000", "example.com"} {
			r.Bill(1, 1, func() {
				a := rig.Get(mux, u, "Host: "+host, "Cookie: _ga=1")
				assert.Equal(t, "HIT", a.Cache(), u)
				assert.NotEmpty(t, a.Header.Get("Etag"))
			})
		}
	}
	assert.EqualValues(t, 3, runs.Load())

	// Again: only what an invalidation hit.
	_, err = r.Store.Invalidate(t.Context(), invalidate.Tags("page:2"))
	require.NoError(t, err)
	rep, err = warm.Run(t.Context(), r.Store, step)
	require.NoError(t, err)
	assert.Equal(t, "warmed 1, fresh 2, failed 0, commands 2, trips 2", rep.String())
}

func TestWarmNamesWhatFails(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Details.Config("detail")
	mux := http.NewServeMux()
	mux.Handle("GET /x/{id}", handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.PathValue("id") {
		case "cookie":
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		case "missing":
			w.WriteHeader(http.StatusNotFound)
		case "panic":
			panic("boom")
		}
		io.WriteString(w, r.PathValue("id"))
	})))
	mux.HandleFunc("GET /elsewhere", func(http.ResponseWriter, *http.Request) {})
	rep, err := warm.Run(t.Context(), r.Store,
		handler.Warm(cfg, mux, "/x/a", "/x/cookie", "/x/missing", "/x/panic", "/elsewhere", "::", "/x/b"))
	require.NoError(t, err)
	assert.Equal(t, 2, rep.Warmed)
	assert.Equal(t, 5, rep.Failed)
	assert.ErrorContains(t, rep.Errors["routes detail: /x/cookie"], "set-cookie")
	assert.ErrorContains(t, rep.Errors["routes detail: /x/missing"], "status")
	assert.ErrorContains(t, rep.Errors["routes detail: /x/panic"], "boom")
	assert.ErrorContains(t, rep.Errors["routes detail: /elsewhere"], "does not lead")
	assert.Equal(t, "HIT", rig.Get(mux, "/x/b").Cache())
}

func TestWarmAnswersWithTagsOfTheirOwn(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Details.Config("late")
	mux := rig.Mount(r.Store, "GET /x/{id}", cfg, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Surrogate-Key", "team:"+r.PathValue("id"))
		io.WriteString(w, "x")
	})
	rep, err := warm.Run(t.Context(), r.Store, handler.Warm(cfg, mux, "/x/1", "/x/2"))
	require.NoError(t, err)
	assert.Equal(t, []int{2, 0, 0}, []int{rep.Warmed, rep.Failed, rep.Absent})
	assert.Equal(t, "HIT", rig.Get(mux, "/x/1").Cache())
	_, err = r.Store.Invalidate(t.Context(), invalidate.Tags("team:1"))
	require.NoError(t, err)
	assert.Equal(t, "MISS", rig.Get(mux, "/x/1").Cache())
	assert.Equal(t, "HIT", rig.Get(mux, "/x/2").Cache())
}

func TestStaleWhileRevalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		var runs atomic.Int64
		cfg := handler.Config{Prefix: "swr", TTL: time.Minute, StaleWhileRevalidate: time.Hour}
		mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) {
			if runs.Add(1) == 3 {
				w.Header().Set("Set-Cookie", "a=b") // what may not be stored is not sent to whom it was not made for
			}
			fmt.Fprint(w, runs.Load())
		})
		require.Equal(t, "1", rig.Get(mux, "/x").Body)
		for _, want := range []struct{ body, ttl string }{{"1", "-60"}, {"2", "-60"}, {"2", "-180"}} {
			time.Sleep(2 * time.Minute)
			a := rig.Get(mux, "/x")
			assert.Equal(t, []string{"STALE", want.body, ""}, []string{a.Cache(), a.Body, a.Header.Get("Set-Cookie")})
			assert.Equal(t, "restash; hit; ttl="+want.ttl, a.CacheStatus())
			synctest.Wait()
		}
		assert.EqualValues(t, 4, runs.Load())
		assert.Equal(t, "HIT", rig.Get(mux, "/x").Cache())
	})
}

func TestMarksCannotComeFromClients(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	rig.Get(mux, "/x")
	for _, f := range []string{"X-Warm: 1", "X-Restash-Warm: 1", "Cache-Control: no-cache", "Pragma: no-cache"} {
		assert.Equal(t, "HIT", rig.Get(mux, "/x", f).Cache(), f)
	}
}

func TestWarmFindsItsURLs(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	rep, err := warm.Run(t.Context(), r.Store, handler.WarmFunc(rig.ListConfig(), mux, func(context.Context) ([]string, error) {
		return []string{"/x?page=2"}, nil
	}), handler.WarmFunc(rig.ListConfig(), mux, func(context.Context) ([]string, error) {
		return nil, fmt.Errorf("the database is away")
	}))
	assert.ErrorContains(t, err, "warm: routes list: find the keys: the database is away")
	assert.Equal(t, 1, rep.Warmed)
	assert.False(t, rep.OK())
}
