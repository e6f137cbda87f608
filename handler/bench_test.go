package handler_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/upstashtest"
)

// sink is a ResponseWriter that costs next to nothing.
type sink struct {
	header http.Header
	status int
	n      int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { s.n += len(p); return len(p), nil }

// BenchmarkHit is a hit through middleware, Store and local server over real
// HTTP, beside the bare client's MGET of as many keys and bytes.
func BenchmarkHit(b *testing.B) {
	srv := upstashtest.Run(b)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	require.NoError(b, err)
	defer c.Close()
	store := rig.NewStoreOn(b, c)
	body := strings.Repeat(`{"id":"anthropic-ai-claude-code","downloads":123456},`, 100)
	cfg := rig.ListConfig()
	mux := rig.Mount(store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
	req := httptest.NewRequest(http.MethodGet, "/x?page=2", nil)
	require.Equal(b, "MISS", rig.Get(mux, "/x?page=2").Cache())
	require.Equal(b, "HIT", rig.Get(mux, "/x?page=2").Cache())

	b.Run("handler", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := sink{header: http.Header{}}
			mux.ServeHTTP(&s, req)
			if s.n != len(body) {
				b.Fatal(s.status)
			}
		}
	})
	ctx := b.Context()
	_, err = c.Set(ctx, "bare", body)
	require.NoError(b, err)
	b.Run("client", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.MGet(ctx, "bare", "g", "p0", "k", "p1", "t1"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBypass is a request that goes around the cache.
func BenchmarkBypass(b *testing.B) {
	r := rig.New(b)
	cfg := rig.ListConfig()
	cfg.Public = false
	h := handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	req := httptest.NewRequest(http.MethodGet, "/x", nil)
	req.Header.Set("Cookie", "session=1")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&sink{header: http.Header{}}, req)
	}
}
