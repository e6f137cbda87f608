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
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// byHeader mounts a handler whose own headers decide.
func byHeader(r *rig, h http.HandlerFunc) http.Handler {
	return handler.Cache(r.store, handler.Config{})(h)
}

func language(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=600")
	w.Header().Set("Vary", "Accept-Language")
	io.WriteString(w, "in "+r.Header.Get("Accept-Language"))
}

func TestCostOfVary(t *testing.T) {
	r := newRig(t)
	h := byHeader(r, language)
	state := func(h http.Handler, lang, want string) {
		t.Helper()
		a := get(h, "http://a.example/x", "Accept-Language: "+lang)
		assert.Equal(t, want, a.cache(), a.status())
		assert.Equal(t, "in "+lang, a.Body)
	}
	r.bill(3, 2, func() { state(h, "en", "MISS") }) // meets the Vary
	r.bill(1, 1, func() { state(h, "en", "HIT") })  // knows it
	r.bill(2, 2, func() { state(h, "de", "MISS") })
	r.bill(1, 1, func() { state(h, "de", "HIT") })

	other := &rig{t: t, srv: r.srv, store: newStore(t, r.srv)}
	g := byHeader(other, language)
	r.bill(2, 2, func() { state(g, "en", "HIT") }) // reads the list first
	r.bill(1, 1, func() { state(g, "de", "HIT") })
	third := &rig{t: t, srv: r.srv, store: newStore(t, r.srv)}
	r.bill(3, 3, func() { state(byHeader(third, language), "fr", "MISS") })

	// A preset that knows the list is spared all that.
	cfg := handler.Config{Vary: []string{"accept-language"}, Prefix: "known"}
	r.bill(2, 2, func() { state(handler.Cache(r.store, cfg)(http.HandlerFunc(language)), "en", "MISS") })
	r.bill(1, 1, func() { state(handler.Cache(other.store, cfg)(http.HandlerFunc(language)), "en", "HIT") })
}

func TestAnOldListIsStillAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		cfg := handler.Config{Prefix: "lang"}
		language := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60, stale-if-error=3600")
			w.Header().Set("Vary", "Accept-Language")
			io.WriteString(w, "in "+r.Header.Get("Accept-Language"))
		}
		serve := func(store *strategies.Store) http.Handler {
			return handler.Cache(store, cfg)(http.HandlerFunc(language))
		}
		first := serve(r.store)
		get(first, "/x", "Accept-Language: en") // stores the list
		time.Sleep(50 * time.Second)
		get(first, "/x", "Accept-Language: de")
		time.Sleep(50 * time.Second)
		a := get(serve(newStore(t, r.srv)), "/x", "Accept-Language: de")
		assert.Equal(t, []string{"HIT", "in de"}, []string{a.cache(), a.Body}, "although the list is stale")
	})
}

func TestCostOfValidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		h := byHeader(r, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Etag", `"1"`)
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			io.WriteString(w, "body")
		})
		r.bill(2, 2, func() { assert.Equal(t, "body", get(h, "/x").Body) })
		time.Sleep(2 * time.Millisecond)
		r.bill(2, 2, func() {
			a := get(h, "/x")
			assert.Equal(t, "body", a.Body)
			assert.Contains(t, a.status(), "fwd=stale; fwd-status=304")
		})
	})
}

func TestCostOfTagsInTheAnswer(t *testing.T) {
	r := newRig(t)
	serve := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Surrogate-Key", "team:7 all")
		w.Header().Set("Cache-Tag", "list, page")
		io.WriteString(w, "x")
	}
	cfg := listConfig()
	var a answer
	mux := route(r.store, "GET /x", cfg, serve)
	r.bill(3, 3, func() { a = get(mux, "/x") })
	assert.Equal(t, "MISS", a.cache())
	assert.Empty(t, a.Header.Get("Surrogate-Key")+a.Header.Get("Cache-Tag"))
	r.bill(1, 1, func() { a = get(mux, "/x") })
	assert.Equal(t, "HIT", a.cache())
	assert.Empty(t, a.Header.Get("Surrogate-Key"))
	other := route(newStore(t, r.srv), "GET /x", cfg, serve)
	r.bill(2, 2, func() { assert.Equal(t, "HIT", get(other, "/x").cache()) })
	r.bill(1, 1, func() { assert.Equal(t, "HIT", get(other, "/x").cache()) })
	for _, tag := range []string{"team:7", "page"} {
		_, err := r.store.Invalidate(t.Context(), invalidate.Tags(tag))
		require.NoError(t, err)
		assert.Equal(t, "MISS", get(other, "/x").cache(), tag)
	}
}

func TestInvalidatingAKeyHitsAllItsVariants(t *testing.T) {
	r := newRig(t)
	cfg := handler.Config{Prefix: "lang", TTL: time.Minute, Vary: []string{"accept-language"}, Key: func(r *http.Request) string { return r.URL.Path }}
	h := handler.Cache(r.store, cfg)(http.HandlerFunc(language))
	for _, lang := range []string{"en", "de", "en", "de"} {
		get(h, "/x", "Accept-Language: "+lang)
	}
	assert.Equal(t, "HIT", get(h, "/x", "Accept-Language: DE").cache())
	_, err := r.store.Invalidate(t.Context(), invalidate.Key(cfg, "/x"))
	require.NoError(t, err)
	for _, lang := range []string{"en", "de"} {
		assert.Equal(t, "MISS", get(h, "/x", "Accept-Language: "+lang).cache())
	}
}

func TestSoftInvalidationByHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *strategies.StoreConfig) { c.Soft = true })
		runs := 0
		h := byHeader(r, func(w http.ResponseWriter, _ *http.Request) {
			runs++
			w.Header().Set("Cache-Control", "max-age=600")
			fmt.Fprint(w, runs)
		})
		get(h, "/x")
		_, err := r.store.Invalidate(t.Context(), invalidate.Soft(invalidate.Prefix(handler.Config{})))
		require.NoError(t, err)
		get(h, "/x")
		synctest.Wait()
		a := get(h, "/x")
		assert.Equal(t, []string{"2", "HIT"}, []string{a.Body, a.cache()})
	})
}

func TestPresetsCannotBePoisoned(t *testing.T) {
	r := newRig(t)
	// A handler that believes everything it is told.
	mux := route(r.store, "GET /x/{id}", listConfig(), func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "host=%s url=%s form=%s", r.Host, r.URL, r.FormValue("callback"))
		for _, name := range []string{"X-Forwarded-Host", "Forwarded", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-Proto"} {
			fmt.Fprintf(w, " %s=%s", name, r.Header.Get(name))
		}
	})
	a := get(mux, "/x/1?callback=evil&page=2", "Host: evil.example", "X-Forwarded-Host: evil", "Forwarded: host=evil",
		"X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-HTTP-Method-Override: EVIL", "X-Forwarded-Proto: evil")
	assert.NotContains(t, a.Body, "evil")
	assert.Contains(t, a.Body, "url=/x/1?page=2&sort=downloads ")
	assert.Equal(t, a.Body, get(mux, "/x/1?page=2").Body)
	// A GET with a body goes around.
	req := post(mux, "/x/1", "")
	assert.Equal(t, http.StatusMethodNotAllowed, req.Status)
}

func TestFatGetGoesAround(t *testing.T) {
	r := newRig(t)
	mux := route(r.store, "GET /x", listConfig(), func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "body=%s", body)
	})
	fat, err := http.NewRequest(http.MethodGet, "/x", strings.NewReader("evil"))
	require.NoError(t, err)
	w := newWriter()
	mux.ServeHTTP(w, fat)
	assert.Equal(t, "body=evil", w.body.String())
	assert.Equal(t, "BYPASS", w.header.Get("X-Cache"))
	a := get(mux, "/x")
	assert.Equal(t, []string{"MISS", "body="}, []string{a.cache(), a.Body})
}

func newWriter() *bridge { return &bridge{header: http.Header{}} }

func TestDownstreamFields(t *testing.T) {
	r := newRig(t)
	cfg := listConfig()
	cfg.Tags = []string{"a", "page:{page}"}
	cfg.Advanced.MaxAge = 30 * time.Second
	cfg.Advanced.CDN = handler.CDN{TTL: time.Minute, StaleWhileRevalidate: 10 * time.Second,
		Fields: []string{"Vercel-CDN-Cache-Control", "CDN-Cache-Control"}, TagField: "Vercel-Cache-Tag"}
	cfg.Advanced.ShowKey = true
	mux := route(r.store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") })
	for _, state := range []string{"MISS", "HIT"} {
		a := get(mux, "/x?page=3")
		assert.Equal(t, state, a.cache())
		assert.Equal(t, "public, max-age=30", a.Header.Get("Cache-Control"))
		assert.Equal(t, "max-age=60, stale-while-revalidate=10", a.Header.Get("CDN-Cache-Control"))
		assert.Equal(t, "max-age=60, stale-while-revalidate=10", a.Header.Get("Vercel-CDN-Cache-Control"))
		assert.Equal(t, "a,page:3", a.Header.Get("Vercel-Cache-Tag"))
		assert.Contains(t, a.status(), `; key="`)
	}
	own := route(r.store, "GET /x", func() handler.Config { c := listConfig(); c.Prefix = "own"; return c }(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=5")
	})
	assert.Equal(t, "public, max-age=5", get(own, "/x").Header.Get("Cache-Control"), "the handler's own word stands")
}

func TestSameBodyCountsAsValidated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		cfg := handler.Config{Prefix: "same", TTL: 10 * time.Millisecond, StaleIfError: time.Hour}
		runs := 0
		mux := route(r.store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) {
			if runs++; runs == 1 {
				w.Header().Set("Etag", `"mine"`)
				w.Header().Set("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
			}
			io.WriteString(w, "the same")
		})
		get(mux, "/x")
		time.Sleep(15 * time.Millisecond)
		a := get(mux, "/x", `If-None-Match: "mine"`)
		assert.Equal(t, 2, runs)
		assert.Equal(t, []any{http.StatusNotModified, `"mine"`}, []any{a.Status, a.Header.Get("Etag")})
		assert.Contains(t, get(handler.Metrics(r.store), "/").Body, `"validated":1`)
	})
}
