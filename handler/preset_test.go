package handler_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
)

// listConfig is a preset as a list route has it.
func listConfig() handler.Config {
	cfg := handler.Lists.Config("list")
	cfg.Tags = []string{"extensions"}
	cfg.Query = handler.Query{"search": "", "sort": "downloads", "page": "1"}
	cfg.Public = true
	return cfg
}

// counting answers with the query it sees and counts its runs.
func counting(runs *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"run":%d,"query":%q,"host":%q,"user":%q}`, runs.Add(1), r.URL.RawQuery, r.Host, r.Header.Get("Cookie")+r.Header.Get("Authorization"))
	}
}

func TestPresetMissThenHit(t *testing.T) {
	r := newRig(t)
	var runs atomic.Int64
	mux := route(r.store, "GET /api/extensions", listConfig(), counting(&runs))
	var first, second answer
	r.bill(2, 2, func() { first = get(mux, "/api/extensions?sort=downloads") })
	r.bill(1, 1, func() { second = get(mux, "/api/extensions?sort=downloads") })
	assert.Equal(t, "MISS", first.cache())
	assert.Equal(t, "restash; fwd=uri-miss; fwd-status=200; ttl=3600; stored", first.status())
	assert.Empty(t, first.Header.Get("Age"), "the handler has just made it")
	assert.Equal(t, "HIT", second.cache())
	assert.Regexp(t, `^restash; hit; ttl=3(600|599)$`, second.status())
	assert.Equal(t, first.Body, second.Body)
	assert.Equal(t, first.Header.Get("Etag"), second.Header.Get("Etag"))
	assert.Equal(t, "application/json", second.Header.Get("Content-Type"))
	assert.Equal(t, "public, max-age=0, must-revalidate", second.Header.Get("Cache-Control"))
	assert.Equal(t, "0", second.Header.Get("Age"))
	assert.EqualValues(t, 1, runs.Load())
}

func TestPresetKeyIgnoresHostCookieAndUndeclaredParameters(t *testing.T) {
	r := newRig(t)
	var runs atomic.Int64
	mux := route(r.store, "GET /api/extensions", listConfig(), counting(&runs))
	first := get(mux, "/api/extensions?utm_source=x&page=1&search=", "Host: evil.example", "Cookie: session=1")
	require.Equal(t, "MISS", first.cache())
	assert.JSONEq(t, `{"run":1,"query":"page=1&sort=downloads","host":"","user":""}`, first.Body)
	for _, fields := range [][]string{{"Host: localhost:3000"}, {"Host: 127.0.0.1"}, {"Cookie: _ga=1", "Authorization: Bearer x"}} {
		a := get(mux, "/api/extensions?sort=downloads&utm=evil", fields...)
		assert.Equal(t, "HIT", a.cache(), fields)
		assert.Equal(t, first.Body, a.Body)
	}
	assert.Equal(t, "MISS", get(mux, "/api/extensions?page=2").cache())
	assert.EqualValues(t, 2, runs.Load())
}

func TestPresetPathValues(t *testing.T) {
	r := newRig(t)
	cfg := handler.Details.Config("detail")
	cfg.Tags = []string{"extension:{id}", "details"}
	mux := route(r.store, "GET /api/extensions/{id}", cfg, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "body of "+r.PathValue("id"))
	})
	for _, path := range []string{"/api/extensions/a", "/api/extensions/b", "/api/extensions/a%2Fb"} {
		assert.Equal(t, "MISS", get(mux, path).cache(), path)
		assert.Equal(t, "HIT", get(mux, path).cache(), path)
	}
	assert.Equal(t, "body of a/b", get(mux, "/api/extensions/a%2Fb").Body)

	_, err := r.store.Invalidate(t.Context(), invalidate.Tags("extension:a"))
	require.NoError(t, err)
	assert.Equal(t, "HIT", get(mux, "/api/extensions/b").cache())
	assert.Equal(t, "MISS", get(mux, "/api/extensions/a").cache())
	_, err = r.store.Invalidate(t.Context(), invalidate.Prefix(cfg, "b"))
	require.NoError(t, err)
	assert.Equal(t, "HIT", get(mux, "/api/extensions/a").cache())
	assert.Equal(t, "MISS", get(mux, "/api/extensions/b").cache())
}

func TestPresetByHost(t *testing.T) {
	r := newRig(t)
	cfg := listConfig()
	cfg.ByHost = true
	var runs atomic.Int64
	mux := route(r.store, "GET /x", cfg, counting(&runs))
	assert.Contains(t, get(mux, "/x", "Host: a.example").Body, "a.example")
	assert.Equal(t, "MISS", get(mux, "/x", "Host: b.example").cache())
	assert.Equal(t, "HIT", get(mux, "/x", "Host: A.example").cache())
}

func TestPresetOwnKey(t *testing.T) {
	r := newRig(t)
	cfg := handler.Config{Prefix: "own", TTL: time.Minute, Key: func(r *http.Request) string { return r.URL.Query().Get("id") }}
	var runs atomic.Int64
	mux := route(r.store, "GET /x", cfg, counting(&runs))
	assert.Equal(t, "MISS", get(mux, "/x?id=1&a=b").cache())
	assert.Equal(t, "HIT", get(mux, "/x?id=1&a=c").cache())
	assert.Equal(t, "MISS", get(mux, "/x?id=2").cache())
}

func TestPresetBypass(t *testing.T) {
	r := newRig(t)
	cfg := listConfig()
	cfg.Public = false
	var runs atomic.Int64
	mux := http.NewServeMux()
	mux.Handle("/x", handler.Cache(r.store, cfg)(counting(&runs)))
	get(mux, "/x")
	for name, a := range map[string]answer{
		"credentials": get(mux, "/x", "Cookie: session=ada"),
		"api key":     get(mux, "/x", "X-Api-Key: k"),
		"authorized":  get(mux, "/x", "Authorization: Bearer t"),
	} {
		assert.Equal(t, "BYPASS", a.cache(), name)
		assert.Equal(t, "restash; fwd=bypass; detail=credentials", a.status(), name)
		assert.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"), name)
	}
	r.bill(0, 0, func() {
		assert.Equal(t, "restash; fwd=method", ask(mux, http.MethodPost, "/x").status())
		assert.Equal(t, "restash; fwd=method", ask(mux, http.MethodOptions, "/x").status())
		assert.Equal(t, "restash; fwd=bypass; detail=condition", get(mux, "/x", `If-Match: "a"`).status())
	})
	assert.Equal(t, "HIT", get(mux, "/x").cache())
}

func TestPresetStoresOnlyWhatItMay(t *testing.T) {
	cases := map[string]struct {
		answer func(w http.ResponseWriter)
		change func(*handler.Config)
		stored bool
		detail string
	}{
		"200":             {func(w http.ResponseWriter) { w.Write([]byte("x")) }, nil, true, ""},
		"204":             {func(w http.ResponseWriter) { w.WriteHeader(204) }, nil, true, ""},
		"nothing written": {func(w http.ResponseWriter) {}, nil, true, ""},
		"301":             {func(w http.ResponseWriter) { w.WriteHeader(301) }, nil, false, "status"},
		"404":             {func(w http.ResponseWriter) { w.WriteHeader(404) }, nil, false, "status"},
		"404 with Negative": {func(w http.ResponseWriter) { w.WriteHeader(404) },
			func(c *handler.Config) { c.Negative = time.Minute }, true, ""},
		"500":        {func(w http.ResponseWriter) { w.WriteHeader(500) }, nil, false, "status"},
		"206":        {func(w http.ResponseWriter) { w.WriteHeader(206) }, nil, false, "status"},
		"Set-Cookie": {func(w http.ResponseWriter) { w.Header().Set("Set-Cookie", "a=b") }, nil, false, "set-cookie"},
		"Set-Cookie if asked": {func(w http.ResponseWriter) { w.Header().Set("Set-Cookie", "a=b") },
			func(c *handler.Config) { c.Advanced.StoreSetCookie = true }, true, ""},
		"private":  {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "private") }, nil, false, "private"},
		"no-store": {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }, nil, false, "no-store"},
		"Vary: *":  {func(w http.ResponseWriter) { w.Header().Set("Vary", "*") }, nil, false, "vary"},
		"events":   {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/event-stream") }, nil, false, "stream"},
		"cut short": {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "5"); w.Write([]byte("abc")) },
			nil, false, "incomplete"},
		"too long": {func(w http.ResponseWriter) { w.Write(make([]byte, 600<<10)) }, nil, false, "oversized"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			cfg := listConfig()
			if c.change != nil {
				c.change(&cfg)
			}
			mux := route(r.store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			first, second := get(mux, "/x"), get(mux, "/x")
			assert.Equal(t, first.Status, second.Status)
			assert.Equal(t, first.Body, second.Body)
			want := []string{"MISS", "BYPASS"} // the latter where the next one would not be stored either
			if c.stored {
				want = []string{"HIT"}
			}
			assert.Contains(t, want, second.cache(), second.status())
			if c.detail != "" {
				assert.Contains(t, first.status(), "detail="+c.detail)
			}
		})
	}
}
