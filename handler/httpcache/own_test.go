package httpcache_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
)

// Who changes the header of one answer in place changes no other answer's.
func TestHeaderLinesAreEachAnswersOwn(t *testing.T) {
	r := rig.New(t)
	h := httpcache.Cache(r.Store, httpcache.Config{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", r.URL.Query().Get("say"))
		w.Header().Set("Vary", "Accept")
		w.Header().Set("Etag", `"1"`)
		io.WriteString(w, "x")
	}))
	for _, said := range []string{"max-age=60", "no-store", "no-cache", "private"} {
		for i := range 4 {
			seen := rig.Spoil(h, httptest.NewRequest(http.MethodGet, "/?say="+said, nil))
			rig.NotSpoiled(t, seen)
			assert.Equal(t, said == "max-age=60" && i > 0, seen.Get("X-Cache") == "HIT", said)
		}
	}
	for range 2 {
		rig.NotSpoiled(t, rig.Spoil(h, httptest.NewRequest(http.MethodPost, "/?say=max-age=60", nil)))
	}
}
