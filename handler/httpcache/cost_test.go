package httpcache_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// byHeader mounts a handler whose own headers decide.
func byHeader(r *rig.Rig, h http.HandlerFunc) http.Handler {
	return httpcache.Cache(r.Store, httpcache.Config{})(h)
}

func TestCostOfVary(t *testing.T) {
	r := rig.New(t)
	h := byHeader(r, language)
	state := func(h http.Handler, lang, want string) {
		t.Helper()
		a := rig.Get(h, "http://a.example/x", "Accept-Language: "+lang)
		assert.Equal(t, want, a.Cache(), a.CacheStatus())
		assert.Equal(t, "in "+lang, a.Body)
	}
	r.Bill(3, 2, func() { state(h, "en", "MISS") }) // meets the Vary
	r.Bill(1, 1, func() { state(h, "en", "HIT") })  // knows it
	r.Bill(2, 2, func() { state(h, "de", "MISS") })
	r.Bill(1, 1, func() { state(h, "de", "HIT") })

	other := rig.On(t, r.Srv)
	g := byHeader(other, language)
	r.Bill(2, 2, func() { state(g, "en", "HIT") }) // reads the list first
	r.Bill(1, 1, func() { state(g, "de", "HIT") })
	third := rig.On(t, r.Srv)
	r.Bill(3, 3, func() { state(byHeader(third, language), "fr", "MISS") })

	// A preset that knows the list is spared all that.
	cfg := httpcache.Config{Vary: []string{"accept-language"}, Prefix: "known"}
	r.Bill(2, 2, func() { state(httpcache.Cache(r.Store, cfg)(http.HandlerFunc(language)), "en", "MISS") })
	r.Bill(1, 1, func() { state(httpcache.Cache(other.Store, cfg)(http.HandlerFunc(language)), "en", "HIT") })
}

func TestAnOldListIsStillAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		cfg := httpcache.Config{Prefix: "lang"}
		language := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60, stale-if-error=3600")
			w.Header().Set("Vary", "Accept-Language")
			io.WriteString(w, "in "+r.Header.Get("Accept-Language"))
		}
		serve := func(store *strategies.Store) http.Handler {
			return httpcache.Cache(store, cfg)(http.HandlerFunc(language))
		}
		first := serve(r.Store)
		rig.Get(first, "/x", "Accept-Language: en") // stores the list
		time.Sleep(50 * time.Second)
		rig.Get(first, "/x", "Accept-Language: de")
		time.Sleep(50 * time.Second)
		a := rig.Get(serve(rig.NewStore(t, r.Srv)), "/x", "Accept-Language: de")
		assert.Equal(t, []string{"HIT", "in de"}, []string{a.Cache(), a.Body}, "although the list is stale")
	})
}

func TestCostOfValidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		h := byHeader(r, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Etag", `"1"`)
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			io.WriteString(w, "body")
		})
		r.Bill(2, 2, func() { assert.Equal(t, "body", rig.Get(h, "/x").Body) })
		time.Sleep(2 * time.Millisecond)
		r.Bill(2, 2, func() {
			a := rig.Get(h, "/x")
			assert.Equal(t, "body", a.Body)
			assert.Contains(t, a.CacheStatus(), "fwd=stale; fwd-status=304")
		})
	})
}

func TestSoftInvalidationByHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t, func(c *strategies.StoreConfig) { c.Soft = true })
		runs := 0
		h := byHeader(r, func(w http.ResponseWriter, _ *http.Request) {
			runs++
			w.Header().Set("Cache-Control", "max-age=600")
			fmt.Fprint(w, runs)
		})
		rig.Get(h, "/x")
		_, err := r.Store.Invalidate(t.Context(), invalidate.Soft(invalidate.Prefix(httpcache.Config{})))
		require.NoError(t, err)
		rig.Get(h, "/x")
		synctest.Wait()
		a := rig.Get(h, "/x")
		assert.Equal(t, []string{"2", "HIT"}, []string{a.Body, a.Cache()})
	})
}

func language(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=600")
	w.Header().Set("Vary", "Accept-Language")
	io.WriteString(w, "in "+r.Header.Get("Accept-Language"))
}

func TestPanicByHeadersServesStaleOnlyIfItMay(t *testing.T) {
	for control, want := range map[string]string{"max-age=60, stale-if-error=600": "good", "max-age=60": "panic", "max-age=60, must-revalidate": "panic"} {
		r := rig.New(t)
		runs := 0
		h := byHeader(r, func(w http.ResponseWriter, _ *http.Request) {
			if runs++; runs > 1 {
				panic("boom")
			}
			w.Header().Set("Cache-Control", control)
			w.Header().Set("Age", "61")
			w.Header().Set("Etag", `"1"`)
			io.WriteString(w, "good")
		})
		require.Equal(t, "good", rig.Get(h, "/x").Body)
		for range 3 {
			if want == "panic" {
				assert.PanicsWithValue(t, "boom", func() { rig.Get(h, "/x") }, control)
				continue
			}
			a := rig.Get(h, "/x")
			assert.Equal(t, []string{"STALE", want}, []string{a.Cache(), a.Body})
		}
	}
}

func TestCachesThatWouldShareEntriesAreRefused(t *testing.T) {
	r := rig.New(t)
	first := httpcache.Cache(r.Store, httpcache.Config{})
	assert.NotPanics(t, func() { httpcache.Cache(r.Store, httpcache.Config{}) }, "the same twice is the same cache")
	assert.Panics(t, func() { httpcache.Cache(r.Store, httpcache.Config{Vary: []string{"Accept"}}) })
	assert.Panics(t, func() { handler.Cache(r.Store, handler.Lists.Config("http")) }, "a preset of the same name")
	runtime.KeepAlive(first)
}
