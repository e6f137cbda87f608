package handler_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/warm"
)

// What is warmed is what browsers ask for, by default or as it is said.
func TestWarmFillsTheEncodingsOfBrowsers(t *testing.T) {
	const chrome, safari, curl = "gzip, deflate, br, zstd", "gzip, deflate, br", "gzip"
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Vary", "Accept-Encoding")
		io.WriteString(w, r.Header.Get("Accept-Encoding"))
	})
	for name, given := range map[string][]string{"default": nil, "given": {curl}} {
		want := map[string]string{chrome: "HIT", safari: "HIT", curl: "MISS"}
		if given != nil {
			want = map[string]string{chrome: "MISS", safari: "MISS", curl: "HIT"}
		}
		r := rig.New(t)
		preset := handler.Config{Prefix: "x", TTL: time.Minute, Vary: []string{"Accept-Encoding"}, Advanced: handler.Advanced{Encodings: given}}
		byHeader := httpcache.Config{Advanced: httpcache.Advanced{Encodings: given}}
		for mode, h := range map[string]http.Handler{"preset": handler.Cache(r.Store, preset)(h), "by headers": httpcache.Cache(r.Store, byHeader)(h)} {
			step := handler.Warm(preset, h, "http://a.example/x")
			if mode == "by headers" {
				step = httpcache.Warm(byHeader, h, "http://a.example/x")
			}
			report, err := warm.Run(t.Context(), r.Store, step)
			require.NoError(t, err)
			assert.Zero(t, report.Failed)
			for encoding, state := range want {
				a := rig.Get(h, "http://a.example/x", "Accept-Encoding: "+encoding)
				assert.Equal(t, []string{state, encoding}, []string{a.Cache(), a.Body}, "%s, %s", name, mode)
			}
		}
	}
}
