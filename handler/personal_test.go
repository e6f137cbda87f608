package handler_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// What speaks of one exchange goes to its client and to nobody after it.
func TestPersonalFieldsAreNotReplayed(t *testing.T) {
	personal := []string{"Authorization", "X-Csrf-Token", "X-XSRF-TOKEN", "X-Request-ID", "X-Correlation-Id", "traceparent", "X-B3-TraceId",
		"Server-Timing", "X-RateLimit-Remaining", "RateLimit", "RateLimit-Policy", "X-Session-Token", "X-Mine"}
	preset := rig.ListConfig()
	preset.Advanced.NeverReplay = []string{"x-mine"}
	byHeader := httpcache.Config{Advanced: httpcache.Advanced{NeverReplay: []string{"X-MINE"}}}
	for mode, cache := range map[string]func(*strategies.Store) wrap{
		"preset":     func(s *strategies.Store) wrap { return handler.Cache(s, preset) },
		"by headers": func(s *strategies.Store) wrap { return httpcache.Cache(s, byHeader) },
	} {
		for _, flush := range []bool{false, true} {
			r := rig.New(t)
			h := cache(r.Store)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range personal {
					w.Header().Set(name, "alice's")
				}
				w.Header().Set("X-Other", "everybody's")
				w.Header().Set("Cache-Control", "max-age=60")
				if flush {
					w.(http.Flusher).Flush()
				}
				io.WriteString(w, "x")
			}))
			first, second := rig.Get(h, "/x"), rig.Get(h, "/x")
			assert.Equal(t, []string{"MISS", "HIT"}, []string{first.Cache(), second.Cache()}, mode)
			for _, name := range personal {
				assert.Equal(t, "alice's", first.Header.Get(name), "%s: %s belongs to the first client", mode, name)
				assert.Empty(t, second.Header.Get(name), "%s: %s", mode, name)
			}
			assert.Equal(t, "everybody's", second.Header.Get("X-Other"))
		}
	}
}
