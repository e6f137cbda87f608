package handler_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler/internal/rig"
)

func TestWhatWillNotBeStoredGoesOutAtOnce(t *testing.T) {
	cases := map[string]func(h http.Header){
		"event stream": func(h http.Header) { h.Set("Content-Type", "text/event-stream") },
		"private":      func(h http.Header) { h.Set("Cache-Control", "private") },
		"storable":     func(http.Header) {},
	}
	for name, set := range cases {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			goOn := make(chan struct{})
			mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
				set(w.Header())
				io.WriteString(w, "first")
				assert.NoError(t, http.NewResponseController(w).Flush())
				<-goOn
				io.WriteString(w, "second")
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			res, err := http.Get(server.URL + "/x")
			require.NoError(t, err)
			defer res.Body.Close()
			first := make([]byte, 5)
			_, err = io.ReadFull(res.Body, first)
			require.NoError(t, err)
			assert.Equal(t, "first", string(first))
			assert.Equal(t, "MISS", res.Header.Get("X-Cache"))
			close(goOn)
			rest, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, "second", string(rest))
			want := "BYPASS"
			if name == "storable" {
				want = "HIT"
			}
			a := rig.Get(mux, "/x")
			assert.Equal(t, want, a.Cache())
			assert.Equal(t, "firstsecond", a.Body)
		})
	}
}

// In a bubble: on a busy machine the page is written slowly, and followed.
func TestLongBodyPassesThroughWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		long := strings.Repeat("0123456789abcdef", 40<<10) // 640 KB
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			for chunk := range 10 {
				io.WriteString(w, long[chunk*len(long)/10:(chunk+1)*len(long)/10])
			}
		})
		for _, detail := range []string{"oversized", "hit-for-pass"} {
			a := rig.Get(mux, "/x")
			assert.Contains(t, a.CacheStatus(), "detail="+detail)
			assert.True(t, a.Body == long, "the body is whole")
		}
	})
}

func TestTrailersAndInformationalAnswers(t *testing.T) {
	r := rig.New(t)
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, want := range []string{"MISS", "HIT"} {
		res, err := http.Get(server.URL + "/x")
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, "body", string(body))
		assert.Equal(t, want, res.Header.Get("X-Cache"))
		assert.Equal(t, "42", res.Trailer.Get("X-Sum"), want)
		assert.Empty(t, res.Header.Get("Link"))
	}
}

// bridge is a ResponseWriter as Vercel's Go bridge has it: no Flusher, no
// sniffing, and the last status wins.
type bridge struct {
	header http.Header
	status int
	calls  int
	body   strings.Builder
}

func (b *bridge) Header() http.Header         { return b.header }
func (b *bridge) WriteHeader(status int)      { b.status = status; b.calls++ }
func (b *bridge) Write(p []byte) (int, error) { return b.body.Write(p) }

func TestVercelBridge(t *testing.T) {
	r := rig.New(t)
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<!doctype html><p>page "+r.URL.Query().Get("page"))
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
		_ = http.NewResponseController(w).Flush()
	})
	for _, state := range []string{"MISS", "HIT"} {
		req := httptest.NewRequest(http.MethodGet, "/x?page=2", nil).WithContext(context.Background())
		req.RequestURI, req.TLS = "/x", nil
		b := &bridge{header: http.Header{}}
		mux.ServeHTTP(b, req)
		assert.Equal(t, []any{200, 1}, []any{b.status, b.calls})
		assert.Equal(t, state, b.header.Get("X-Cache"))
		assert.Equal(t, "text/html; charset=utf-8", b.header.Get("Content-Type"))
		assert.Empty(t, b.header.Get("X-Late"))
		assert.NotEmpty(t, b.header.Get("Date"))
		assert.Contains(t, b.body.String(), "page 2")
	}
}
