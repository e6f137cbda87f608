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
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/invalidate"
)

func TestPresetMissThenHit(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /api/extensions", rig.ListConfig(), rig.Counting(&runs))
	var first, second rig.Answer
	r.Bill(2, 2, func() { first = rig.Get(mux, "/api/extensions?sort=downloads") })
	r.Bill(1, 1, func() { second = rig.Get(mux, "/api/extensions?sort=downloads") })
	assert.Equal(t, "MISS", first.Cache())
	assert.Equal(t, "restash; fwd=uri-miss; fwd-status=200; ttl=3600; stored", first.CacheStatus())
	assert.Empty(t, first.Header.Get("Age"), "the handler has just made it")
	assert.Equal(t, "HIT", second.Cache())
	assert.Regexp(t, `^restash; hit; ttl=3(600|599)$`, second.CacheStatus())
	assert.Equal(t, first.Body, second.Body)
	assert.Equal(t, first.Header.Get("Etag"), second.Header.Get("Etag"))
	assert.Equal(t, "application/json", second.Header.Get("Content-Type"))
	assert.Equal(t, "public, max-age=0, must-revalidate", second.Header.Get("Cache-Control"))
	assert.Equal(t, "0", second.Header.Get("Age"))
	assert.EqualValues(t, 1, runs.Load())
}

func TestPresetKeyIgnoresHostCookieAndUndeclaredParameters(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /api/extensions", rig.ListConfig(), rig.Counting(&runs))
	first := rig.Get(mux, "/api/extensions?utm_source=x&page=1&search=", "Host: evil.example", "Cookie: session=1")
	require.Equal(t, "MISS", first.Cache())
	assert.JSONEq(t, `{"run":1,"query":"page=1&sort=downloads","host":"","user":""}`, first.Body)
	for _, fields := range [][]string{{"Host: localhost:3000"}, {"Host: 127.0.0.1"}, {"Cookie: _ga=1", "Authorization: Bearer x"}} {
		a := rig.Get(mux, "/api/extensions?sort=downloads&utm=evil", fields...)
		assert.Equal(t, "HIT", a.Cache(), fields)
		assert.Equal(t, first.Body, a.Body)
	}
	assert.Equal(t, "MISS", rig.Get(mux, "/api/extensions?page=2").Cache())
	assert.EqualValues(t, 2, runs.Load())
}

func TestPresetPathValues(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Details.Config("detail")
	cfg.Tags = []string{"extension:{id}", "details"}
	mux := rig.Mount(r.Store, "GET /api/extensions/{id}", cfg, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "body of "+r.PathValue("id"))
	})
	for _, path := range []string{"/api/extensions/a", "/api/extensions/b", "/api/extensions/a%2Fb"} {
		assert.Equal(t, "MISS", rig.Get(mux, path).Cache(), path)
		assert.Equal(t, "HIT", rig.Get(mux, path).Cache(), path)
	}
	assert.Equal(t, "body of a/b", rig.Get(mux, "/api/extensions/a%2Fb").Body)

	_, err := r.Store.Invalidate(t.Context(), invalidate.Tags("extension:a"))
	require.NoError(t, err)
	assert.Equal(t, "HIT", rig.Get(mux, "/api/extensions/b").Cache())
	assert.Equal(t, "MISS", rig.Get(mux, "/api/extensions/a").Cache())
	_, err = r.Store.Invalidate(t.Context(), invalidate.Prefix(cfg, "b"))
	require.NoError(t, err)
	assert.Equal(t, "HIT", rig.Get(mux, "/api/extensions/a").Cache())
	assert.Equal(t, "MISS", rig.Get(mux, "/api/extensions/b").Cache())
}

func TestPresetByHost(t *testing.T) {
	r := rig.New(t)
	cfg := rig.ListConfig()
	cfg.ByHost = true
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", cfg, rig.Counting(&runs))
	assert.Contains(t, rig.Get(mux, "/x", "Host: a.example").Body, "a.example")
	assert.Equal(t, "MISS", rig.Get(mux, "/x", "Host: b.example").Cache())
	assert.Equal(t, "HIT", rig.Get(mux, "/x", "Host: A.example").Cache())
}

func TestPresetOwnKey(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "own", TTL: time.Minute, Key: func(r *http.Request) string { return r.URL.Query().Get("id") }}
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", cfg, rig.Counting(&runs))
	assert.Equal(t, "MISS", rig.Get(mux, "/x?id=1&a=b").Cache())
	assert.Equal(t, "HIT", rig.Get(mux, "/x?id=1&a=c").Cache())
	assert.Equal(t, "MISS", rig.Get(mux, "/x?id=2").Cache())
}

func TestPresetBypass(t *testing.T) {
	r := rig.New(t)
	cfg := rig.ListConfig()
	cfg.Public = false
	var runs atomic.Int64
	mux := http.NewServeMux()
	mux.Handle("/x", handler.Cache(r.Store, cfg)(rig.Counting(&runs)))
	rig.Get(mux, "/x")
	for name, a := range map[string]rig.Answer{
		"credentials": rig.Get(mux, "/x", "Cookie: session=ada"),
		"api key":     rig.Get(mux, "/x", "X-Api-Key: k"),
		"authorized":  rig.Get(mux, "/x", "Authorization: Bearer t"),
	} {
		assert.Equal(t, "BYPASS", a.Cache(), name)
		assert.Equal(t, "restash; fwd=bypass; detail=credentials", a.CacheStatus(), name)
		assert.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"), name)
	}
	r.Bill(0, 0, func() {
		assert.Equal(t, "restash; fwd=method", rig.Ask(mux, http.MethodPost, "/x").CacheStatus())
		assert.Equal(t, "restash; fwd=method", rig.Ask(mux, http.MethodOptions, "/x").CacheStatus())
		assert.Equal(t, "restash; fwd=bypass; detail=condition", rig.Get(mux, "/x", `If-Match: "a"`).CacheStatus())
	})
	assert.Equal(t, "HIT", rig.Get(mux, "/x").Cache())
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
		"private":                                   {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "private") }, nil, false, "private"},
		"no-store":                                  {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }, nil, false, "no-store"},
		"Cache-Control: no-cache":                   {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `no-cache`) }, nil, false, "no-cache"},
		"Cache-Control: max-age=0":                  {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `max-age=0`) }, nil, false, "max-age"},
		"Cache-Control: s-maxage=0, max-age=60":     {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `s-maxage=0, max-age=60`) }, nil, false, "max-age"},
		"Cache-Control: max-age=0, must-revalidate": {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `max-age=0, must-revalidate`) }, nil, false, "max-age"},
		"Cache-Control: private='X-A'":              {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `private="X-A"`) }, nil, false, "private"},
		"Cache-Control: max-age=60":                 {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `max-age=60`) }, nil, true, ""},
		"Cache-Control: public, max-age='0'":        {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `public, max-age="0"`) }, nil, false, "max-age"},
		"Cache-Control: no-store='":                 {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `no-store="`) }, nil, false, "unparsable"},
		"Cache-Control: no-store, max-age=60":       {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `no-store, max-age=60`) }, nil, false, "no-store"},
		"Cache-Control: no-cache='X-A'":             {func(w http.ResponseWriter) { w.Header().Set("Cache-Control", `no-cache="X-A"`) }, nil, true, ""},
		"Pragma: no-cache":                          {func(w http.ResponseWriter) { w.Header().Set("Pragma", `no-cache`) }, nil, false, "no-cache"},
		"Pragma: x, No-Cache":                       {func(w http.ResponseWriter) { w.Header().Set("Pragma", `x, No-Cache`) }, nil, false, "no-cache"},
		"Expires: 0":                                {func(w http.ResponseWriter) { w.Header().Set("Expires", `0`) }, nil, false, "expires"},
		"Expires: -1":                               {func(w http.ResponseWriter) { w.Header().Set("Expires", `-1`) }, nil, false, "expires"},
		"Expires: Mon, 01 Jan 2001 00:00:00 GMT":    {func(w http.ResponseWriter) { w.Header().Set("Expires", `Mon, 01 Jan 2001 00:00:00 GMT`) }, nil, false, "expires"},
		"Expires: Fri, 01 Jan 2100 00:00:00 GMT":    {func(w http.ResponseWriter) { w.Header().Set("Expires", `Fri, 01 Jan 2100 00:00:00 GMT`) }, nil, true, ""},
		"CDN-Cache-Control: no-store":               {func(w http.ResponseWriter) { w.Header().Set("CDN-Cache-Control", `no-store`) }, nil, false, "targeted"},
		"CDN-Cache-Control: private":                {func(w http.ResponseWriter) { w.Header().Set("CDN-Cache-Control", `private`) }, nil, false, "targeted"},
		"CDN-Cache-Control: max-age=0":              {func(w http.ResponseWriter) { w.Header().Set("CDN-Cache-Control", `max-age=0`) }, nil, false, "targeted"},
		"CDN-Cache-Control: max-age=60":             {func(w http.ResponseWriter) { w.Header().Set("CDN-Cache-Control", `max-age=60`) }, nil, true, ""},
		"Surrogate-Control: no-store":               {func(w http.ResponseWriter) { w.Header().Set("Surrogate-Control", `no-store`) }, nil, false, "targeted"},
		"Vercel-CDN-Cache-Control: no-cache":        {func(w http.ResponseWriter) { w.Header().Set("Vercel-CDN-Cache-Control", `no-cache`) }, nil, false, "targeted"},
		"Cloudflare-CDN-Cache-Control: no-store":    {func(w http.ResponseWriter) { w.Header().Set("Cloudflare-CDN-Cache-Control", `no-store`) }, nil, false, "targeted"},
		"Content-Security-Policy: script-src 'self' 'nonce-4711'": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Security-Policy", `script-src 'self' 'nonce-4711'`)
		}, nil, false, "csp-nonce"},
		"Content-Security-Policy-Report-Only: script-src 'NONCE-4711'": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Security-Policy-Report-Only", `script-src 'NONCE-4711'`)
		}, nil, false, "csp-nonce"},
		"Content-Security-Policy: default-src 'self'": {func(w http.ResponseWriter) { w.Header().Set("Content-Security-Policy", `default-src 'self'`) }, nil, true, ""},
		"Vary: *": {func(w http.ResponseWriter) { w.Header().Set("Vary", "*") }, nil, false, "vary"},
		"events":  {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/event-stream") }, nil, false, "stream"},
		"cut short": {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "5"); w.Write([]byte("abc")) },
			nil, false, "incomplete"},
		"too long": {func(w http.ResponseWriter) { w.Write(make([]byte, 600<<10)) }, nil, false, "oversized"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			cfg := rig.ListConfig()
			if c.change != nil {
				c.change(&cfg)
			}
			mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			first, second := rig.Get(mux, "/x"), rig.Get(mux, "/x")
			assert.Equal(t, first.Status, second.Status)
			assert.Equal(t, first.Body, second.Body)
			want := []string{"MISS", "BYPASS"} // the latter where the next one would not be stored either
			if c.stored {
				want = []string{"HIT"}
			}
			assert.Contains(t, want, second.Cache(), second.CacheStatus())
			if c.detail != "" {
				assert.Contains(t, first.CacheStatus(), "detail="+c.detail)
			}
		})
	}
}
