package handler_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// Clients with ever other field values cannot fill Redis with one URL.
func TestVariantsOfAURLAreBounded(t *testing.T) {
	preset := handler.Config{Prefix: "x", TTL: time.Minute, Vary: []string{"Accept-Language"}, Advanced: handler.Advanced{MaxVariants: 3}}
	byHeader := httpcache.Config{Advanced: httpcache.Advanced{MaxVariants: 3}}
	for mode, cache := range map[string]func(*strategies.Store) wrap{
		"preset":     func(s *strategies.Store) wrap { return handler.Cache(s, preset) },
		"by headers": func(s *strategies.Store) wrap { return httpcache.Cache(s, byHeader) },
	} {
		r := rig.New(t)
		h := cache(r.Store)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Vary", "Accept-Language")
			io.WriteString(w, r.Header.Get("Accept-Language"))
		}))
		ask := func(i int) rig.Answer {
			a := rig.Get(h, "/x", fmt.Sprint("Accept-Language: l", i))
			assert.Equal(t, fmt.Sprint("l", i), a.Body, mode)
			return a
		}
		for i := range 20 {
			ask(i)
		}
		for i := range 20 {
			a, want := ask(i), "HIT"
			if i >= 3 {
				want = "MISS"
				assert.Contains(t, a.CacheStatus(), "detail=variants", mode)
			}
			assert.Equal(t, want, a.Cache(), "%s %d", mode, i)
		}
	}
}
