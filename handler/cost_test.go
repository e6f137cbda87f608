package handler_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/invalidate"
)

func language(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=600")
	w.Header().Set("Vary", "Accept-Language")
	io.WriteString(w, "in "+r.Header.Get("Accept-Language"))
}

func TestCostOfTagsInTheAnswer(t *testing.T) {
	r := rig.New(t)
	serve := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Surrogate-Key", "team:7 all")
		w.Header().Set("Cache-Tag", "list, page")
		io.WriteString(w, "x")
	}
	cfg := rig.ListConfig()
	var a rig.Answer
	mux := rig.Mount(r.Store, "GET /x", cfg, serve)
	r.Bill(3, 3, func() { a = rig.Get(mux, "/x") })
	assert.Equal(t, "MISS", a.Cache())
	assert.Empty(t, a.Header.Get("Surrogate-Key")+a.Header.Get("Cache-Tag"))
	r.Bill(1, 1, func() { a = rig.Get(mux, "/x") })
	assert.Equal(t, "HIT", a.Cache())
	assert.Empty(t, a.Header.Get("Surrogate-Key"))
	other := rig.Mount(rig.NewStore(t, r.Srv), "GET /x", cfg, serve)
	r.Bill(2, 2, func() { assert.Equal(t, "HIT", rig.Get(other, "/x").Cache()) })
	r.Bill(1, 1, func() { assert.Equal(t, "HIT", rig.Get(other, "/x").Cache()) })
	for _, tag := range []string{"team:7", "page"} {
		_, err := r.Store.Invalidate(t.Context(), invalidate.Tags(tag))
		require.NoError(t, err)
		assert.Equal(t, "MISS", rig.Get(other, "/x").Cache(), tag)
	}
}

func TestInvalidatingAKeyHitsAllItsVariants(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "lang", TTL: time.Minute, Vary: []string{"accept-language"}, Key: func(r *http.Request) string { return r.URL.Path }}
	h := handler.Cache(r.Store, cfg)(http.HandlerFunc(language))
	for _, lang := range []string{"en", "de", "en", "de"} {
		rig.Get(h, "/x", "Accept-Language: "+lang)
	}
	assert.Equal(t, "HIT", rig.Get(h, "/x", "Accept-Language: DE").Cache())
	_, err := r.Store.Invalidate(t.Context(), invalidate.Key(cfg, "/x"))
	require.NoError(t, err)
	for _, lang := range []string{"en", "de"} {
		assert.Equal(t, "MISS", rig.Get(h, "/x", "Accept-Language: "+lang).Cache())
	}
}

func TestPresetsCannotBePoisoned(t *testing.T) {
	r := rig.New(t)
	// A handler that believes everything it is told.
	mux := rig.Mount(r.Store, "GET /x/{id}", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "host=%s url=%s form=%s", r.Host, r.URL, r.FormValue("callback"))
		for _, name := range []string{"X-Forwarded-Host", "Forwarded", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-Proto"} {
			fmt.Fprintf(w, " %s=%s", name, r.Header.Get(name))
		}
	})
	a := rig.Get(mux, "/x/1?callback=evil&page=2", "Host: evil.example", "X-Forwarded-Host: evil", "Forwarded: host=evil",
		"X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-HTTP-Method-Override: EVIL", "X-Forwarded-Proto: evil")
	assert.NotContains(t, a.Body, "evil")
	assert.Contains(t, a.Body, "url=/x/1?page=2&sort=downloads ")
	assert.Equal(t, a.Body, rig.Get(mux, "/x/1?page=2").Body)
	// A GET with a body goes around.
	req := rig.Post(mux, "/x/1", "")
	assert.Equal(t, http.StatusMethodNotAllowed, req.Status)
}

func TestFatGetGoesAround(t *testing.T) {
	r := rig.New(t)
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "body=%s", body)
	})
	fat, err := http.NewRequest(http.MethodGet, "/x", strings.NewReader("evil"))
	require.NoError(t, err)
	w := newWriter()
	mux.ServeHTTP(w, fat)
	assert.Equal(t, "body=evil", w.body.String())
	assert.Equal(t, "BYPASS", w.header.Get("X-Cache"))
	a := rig.Get(mux, "/x")
	assert.Equal(t, []string{"MISS", "body="}, []string{a.Cache(), a.Body})
}

func newWriter() *bridge { return &bridge{header: http.Header{}} }

func TestDownstreamFields(t *testing.T) {
	r := rig.New(t)
	cfg := rig.ListConfig()
	cfg.Tags = []string{"a", "page:{page}"}
	cfg.Advanced.MaxAge = 30 * time.Second
	cfg.Advanced.CDN = handler.CDN{TTL: time.Minute, StaleWhileRevalidate: 10 * time.Second,
		Fields: []string{"Vercel-CDN-Cache-Control", "CDN-Cache-Control"}, TagField: "Vercel-Cache-Tag"}
	cfg.Advanced.ShowKey = true
	mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") })
	for _, state := range []string{"MISS", "HIT"} {
		a := rig.Get(mux, "/x?page=3")
		assert.Equal(t, state, a.Cache())
		assert.Equal(t, "public, max-age=30", a.Header.Get("Cache-Control"))
		assert.Equal(t, "max-age=60, stale-while-revalidate=10", a.Header.Get("CDN-Cache-Control"))
		assert.Equal(t, "max-age=60, stale-while-revalidate=10", a.Header.Get("Vercel-CDN-Cache-Control"))
		assert.Equal(t, "a,page:3", a.Header.Get("Vercel-Cache-Tag"))
		assert.Contains(t, a.CacheStatus(), `; key="`)
	}
	own := rig.Mount(r.Store, "GET /x", func() handler.Config { c := rig.ListConfig(); c.Prefix = "own"; return c }(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=5")
	})
	assert.Equal(t, "public, max-age=5", rig.Get(own, "/x").Header.Get("Cache-Control"), "the handler's own word stands")
}

func TestSameBodyCountsAsValidated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		cfg := handler.Config{Prefix: "same", TTL: 10 * time.Millisecond, StaleIfError: time.Hour}
		runs := 0
		mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) {
			if runs++; runs == 1 {
				w.Header().Set("Etag", `"mine"`)
				w.Header().Set("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
			}
			io.WriteString(w, "the same")
		})
		rig.Get(mux, "/x")
		time.Sleep(15 * time.Millisecond)
		a := rig.Get(mux, "/x", `If-None-Match: "mine"`)
		assert.Equal(t, 2, runs)
		assert.Equal(t, []any{http.StatusNotModified, `"mine"`}, []any{a.Status, a.Header.Get("Etag")})
		assert.Contains(t, rig.Get(ops.Metrics(r.Store), "/").Body, `"validated":1`)
	})
}
