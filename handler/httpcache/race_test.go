package httpcache_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// identity is what each body says of itself.
type identity struct{ URL, User, Lang string }

// who answers with the request's identity: for everyone, for one language, or
// for one user, as the URL says.
func who(w http.ResponseWriter, r *http.Request) {
	id := identity{URL: r.URL.Path}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=600")
	h.Set("Etag", `"`+r.URL.Path+`"`)
	switch {
	case strings.HasPrefix(r.URL.Path, "/lang"):
		id.Lang = r.Header.Get("Accept-Language")
		h.Set("Vary", "Accept-Language")
		h.Set("Etag", `"`+r.URL.Path+id.Lang+`"`)
	case strings.HasPrefix(r.URL.Path, "/private"):
		id.User = r.Header.Get("Authorization")
		h.Set("Cache-Control", "private")
	case strings.HasPrefix(r.URL.Path, "/cookie"):
		id.User = r.Header.Get("Authorization")
		h.Set("Set-Cookie", "user="+id.User)
	}
	body, _ := json.Marshal(id)
	if rand.IntN(4) == 0 {
		_ = http.NewResponseController(w).Flush()
	}
	if rand.IntN(50) == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

func TestBodiesNeverMix(t *testing.T) {
	// A busy machine is no reason to let the breaker open.
	r := rig.New(t, func(c *strategies.StoreConfig) { c.Budget = time.Minute })
	h := httpcache.Cache(r.Store, httpcache.Config{})(http.HandlerFunc(who))
	var urls []string
	for i := range 4 {
		for _, kind := range []string{"plain", "lang", "private", "cookie"} {
			urls = append(urls, fmt.Sprintf("/%s%d", kind, i))
		}
	}
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	var wg sync.WaitGroup
	for client := range 64 {
		wg.Go(func() {
			for range rounds {
				oneRequest(t, r, h, urls[rand.IntN(len(urls))], fmt.Sprintf("user%d", client))
			}
		})
	}
	wg.Wait()
}

func oneRequest(t *testing.T, r *rig.Rig, h http.Handler, url, user string) {
	defer func() { _ = recover() }() // the handler's own
	lang := []string{"en", "de", "fr"}[rand.IntN(3)]
	fields := []string{"Authorization: " + user, "Accept-Language: " + lang}
	method := http.MethodGet
	switch rand.IntN(12) {
	case 0:
		method = http.MethodHead
	case 1:
		method = http.MethodPost
	case 2:
		fields = append(fields, "Cache-Control: no-cache")
	case 3:
		_, _ = r.Store.Invalidate(t.Context(), invalidate.Prefix(httpcache.Config{}))
	}
	a := rig.Ask(h, method, url, fields...)
	if method != http.MethodGet || a.Status != 200 {
		return
	}
	want := identity{URL: url}
	switch {
	case strings.HasPrefix(url, "/lang"):
		want.Lang = lang
	case strings.HasPrefix(url, "/private"), strings.HasPrefix(url, "/cookie"):
		want.User = user
	}
	var got identity
	if assert.NoError(t, json.Unmarshal([]byte(a.Body), &got), "%q %s", a.Body, a.CacheStatus()) {
		assert.Equal(t, want, got, a.CacheStatus())
	}
	if strings.HasPrefix(url, "/cookie") {
		assert.Equal(t, "user="+user, a.Header.Get("Set-Cookie"))
	}
}
