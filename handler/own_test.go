package handler_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// kept is a cache in the process.
type kept struct {
	mu     sync.Mutex
	values map[strategies.LocalKey]strategies.LocalValue
}

func (k *kept) Get(key strategies.LocalKey) (strategies.LocalValue, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.values[key]
	return v, ok
}

func (k *kept) Stamp() uint64 { return 0 }

func (k *kept) Put(key strategies.LocalKey, v strategies.LocalValue, _ uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.values[key] = v
}

func (k *kept) Void([]string) {}

func (k *kept) Clear() {}

// Who changes the header of one answer in place changes no other answer's: not that of
// the next hit, of those who shared the load, nor of all that bypass.
func TestHeaderLinesAreEachAnswersOwn(t *testing.T) {
	for name, ask := range map[string]struct {
		path, cookie string
		callers      int
		local        bool
		cached       string // what the second answer is
	}{
		"hit":                {path: "/x", callers: 1, cached: "HIT"},
		"hit in the process": {path: "/x", callers: 1, local: true, cached: "HIT"},
		"shared":             {path: "/x", callers: 8, local: true, cached: "HIT"},
		"not found":          {path: "/none", callers: 1, local: true, cached: "HIT"},
		"bypass":             {path: "/x", cookie: "a=b", callers: 1, cached: "BYPASS"},
		"not stored":         {path: "/private", callers: 1, cached: "BYPASS"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rig.New(t, func(c *strategies.StoreConfig) {
					if ask.local {
						c.Local = &kept{values: map[strategies.LocalKey]strategies.LocalValue{}}
					}
				})
				cfg := rig.ListConfig()
				cfg.Public, cfg.Negative = ask.cookie == "", time.Minute
				mux := rig.Mount(r.Store, "GET /{what}", cfg, func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(time.Millisecond)
					w.Header().Set("Link", "</a>")
					w.Header().Set("Trailer", "X-End")
					w.Header()["Link"][0] = "</b>"
					switch r.PathValue("what") {
					case "private":
						w.Header().Set("Cache-Control", "no-store")
					case "none":
						w.WriteHeader(http.StatusNotFound)
					}
					io.WriteString(w, "x")
					w.Header().Set("X-End", "1")
				})
				get := func() http.Header {
					req := httptest.NewRequest(http.MethodGet, ask.path, nil)
					if ask.cookie != "" {
						req.Header.Set("Cookie", ask.cookie)
					}
					return rig.Spoil(mux, req)
				}
				var group sync.WaitGroup
				for range ask.callers {
					group.Go(func() { rig.NotSpoiled(t, get()) })
				}
				group.Wait()
				for range 3 {
					h := get()
					rig.NotSpoiled(t, h)
					assert.Equal(t, ask.cached, h.Get("X-Cache"))
					assert.Equal(t, "</b>", h.Get("Link"))
				}
			})
		})
	}
}
