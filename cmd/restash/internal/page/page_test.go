package page_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/cmd/restash/internal/page"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// site returns the page over an App that answers with its own name.
func site(t *testing.T, change func(*page.Config)) http.Handler {
	t.Helper()
	server := upstashtest.Run(t)
	c, err := client.New(client.Config{URL: server.URL, Token: server.Token, HTTPClient: server.HTTPClient()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(t.Context()) })
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Cache", name)
			_ = json.NewEncoder(w).Encode(r.URL.Path)
		})
	}
	config := page.Config{App: named("HIT"), Plain: named("BYPASS"), Store: store, Redis: server, Controls: true}
	change(&config)
	h, err := page.New(config)
	require.NoError(t, err)
	return h
}

func request(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPageNamesWhatIsMissing(t *testing.T) {
	_, err := page.New(page.Config{})
	require.ErrorContains(t, err, "Store")
}

func TestPageLoadsNothingFromElsewhereAndRunsNothingInline(t *testing.T) {
	h := site(t, func(*page.Config) {})
	for _, path := range []string{"/", "/page/style.css", "/page/script.js", "/page/icon.svg"} {
		w := request(h, "GET", path)
		require.Equal(t, http.StatusOK, w.Code, path)
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self';")
		assert.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
		text := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "") // a name, not an address
		for _, bad := range []string{"http://", "https://", "//cdn", "innerHTML", " style=", " onclick=", "@import"} {
			assert.NotContains(t, text, bad, path)
		}
	}
}

func TestPageAsksRoutesOnly(t *testing.T) {
	h := site(t, func(*page.Config) {})
	w := request(h, "GET", "/page/ask?path=/api/stats")
	require.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), `"state":"HIT"`)
	assert.Contains(t, w.Body.String(), `"state":"BYPASS"`)
	assert.Contains(t, w.Body.String(), `"body":"/api/stats"`)
	for _, path := range []string{"", "/", "//elsewhere/api/", "https://example.com/api/", "/api/%zz", "/page/ask"} {
		assert.Equal(t, http.StatusBadRequest, request(h, "GET", "/page/ask?path="+path).Code, path)
	}
}

func TestPageSwitchesRedis(t *testing.T) {
	h := site(t, func(*page.Config) {})
	for _, to := range []string{"down", "slow", "up", "down"} {
		w := request(h, "POST", "/page/redis?to="+to)
		require.Equal(t, http.StatusOK, w.Code)
		assert.Contains(t, w.Body.String(), `"redis":"`+to+`"`)
	}
	assert.Contains(t, request(h, "POST", "/page/invalidate?tag=stats").Body.String(), `"pending":true`)
	require.Equal(t, http.StatusOK, request(h, "POST", "/page/redis?to=up").Code)
	assert.Equal(t, http.StatusBadRequest, request(h, "POST", "/page/redis?to=away").Code)
	assert.Equal(t, http.StatusBadRequest, request(h, "POST", "/page/invalidate?tag=nosuch").Code)
	assert.Contains(t, request(h, "POST", "/page/load").Body.String(), `"requests":200,"failed":0,"states":{"HIT":200}`)
}

func TestPageHasNoSwitchesForOthers(t *testing.T) {
	h := site(t, func(*page.Config) {})
	for _, path := range []string{"/page/redis?to=down", "/page/invalidate?tag=stats", "/page/load"} {
		assert.Equal(t, http.StatusForbidden, request(h, "POST", path, "Sec-Fetch-Site", "cross-site").Code, path)
	}
	assert.Contains(t, request(h, "GET", "/page/state").Body.String(), `"redis":"up"`)

	open := site(t, func(c *page.Config) { c.Controls = false })
	for _, path := range []string{"POST /page/redis?to=down", "POST /page/invalidate?tag=stats", "POST /page/load", "GET /admin/cache"} {
		method, target, _ := strings.Cut(path, " ")
		w := request(open, method, target)
		assert.Equal(t, "HIT", w.Header().Get("X-Cache"), "the App answers %s: there is nothing of ours", path)
	}
	remote := site(t, func(c *page.Config) { c.Redis = nil })
	assert.Equal(t, http.StatusBadRequest, request(remote, "POST", "/page/redis?to=down").Code)
	assert.Contains(t, request(remote, "GET", "/page/state").Body.String(), `"redis":"remote"`)
}

func TestPageLeavesAllElseToTheApp(t *testing.T) {
	h := site(t, func(*page.Config) {})
	assert.Equal(t, "\"/\"\n", request(h, "GET", "/api").Body.String(), "the list of routes")
	assert.Equal(t, "\"/api/stats\"\n", request(h, "GET", "/api/stats").Body.String())
	assert.Contains(t, request(h, "GET", "/admin/cache").Body.String(), "<title>restash</title>")
}
