package handler_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// A tag that names a path value needs a route that has it. Where the middleware
// stands outside the router no request has: its invalidation would reach nothing,
// and nobody would know.
func TestTagsThatAreAlwaysLeftOutAreLogged(t *testing.T) {
	say := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "x")
	})
	inside := func(pattern string) func(func(http.Handler) http.Handler) http.Handler {
		return func(cached func(http.Handler) http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle(pattern, cached(say))
			return mux
		}
	}
	outside := func(cached func(http.Handler) http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /things/{id}", say)
		return cached(mux)
	}
	for name, tt := range map[string]struct {
		mount func(func(http.Handler) http.Handler) http.Handler
		tags  []string
		path  string
		want  []string // the tags that are warned of
	}{
		"inside the router":     {inside("GET /things/{id}"), []string{"things", "thing:{id}"}, "/things/1", nil},
		"the rest of a path":    {inside("GET /things/{id...}"), []string{"thing:{id}"}, "/things/", nil},
		"a declared parameter":  {inside("GET /things/{id}"), []string{"sort:{sort}", "thing:{id}"}, "/things/1", nil},
		"outside the router":    {outside, []string{"things", "thing:{id}"}, "/things/1", []string{"thing:{id}"}},
		"another name":          {inside("GET /things/{name}"), []string{"thing:{id}", "t:{name}"}, "/things/1", []string{"thing:{id}"}},
		"one of two is missing": {inside("GET /things/{id}"), []string{"t:{id}:{part}"}, "/things/1", []string{"t:{id}:{part}"}},
	} {
		for kind, cache := range map[string]func(*strategies.Store) func(http.Handler) http.Handler{
			"preset": func(s *strategies.Store) func(http.Handler) http.Handler {
				cfg := rig.ListConfig()
				cfg.Tags, cfg.Query = tt.tags, handler.Query{"sort": ""}
				return handler.Cache(s, cfg)
			},
			"by headers": func(s *strategies.Store) func(http.Handler) http.Handler {
				return httpcache.Cache(s, httpcache.Config{Tags: tt.tags})
			},
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				if name == "a declared parameter" && kind == "by headers" {
					t.Skip("it declares none")
				}
				var log bytes.Buffer
				r := rig.New(t, func(c *strategies.StoreConfig) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				app := tt.mount(cache(r.Store))
				for range 3 {
					rig.Get(app, tt.path)
				}
				lines := strings.Count(log.String(), "a tag is left out")
				assert.Equal(t, len(tt.want), lines, log.String())
				for _, tag := range tt.want {
					assert.Contains(t, log.String(), "tag="+tag)
				}
			})
		}
	}
}
