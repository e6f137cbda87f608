package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/handler"
)

const cdnToken = "cdn-secret-1234"

// vercelAPI plays the one call of Vercel's API that marks tags stale.
type vercelAPI struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []purgeCall
	answer func(w http.ResponseWriter, r *http.Request)
}

type purgeCall struct {
	Method, Path, Query, Auth, Type string
	Tags                            []string
	Target                          string
}

func newVercelAPI(t *testing.T) *vercelAPI {
	api := &vercelAPI{}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := purgeCall{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Auth: r.Header.Get("Authorization"), Type: r.Header.Get("Content-Type")}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &call); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		api.mu.Lock()
		api.calls = append(api.calls, call)
		answer := api.answer
		api.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(api.Close)
	return api
}

func (api *vercelAPI) answers(f func(w http.ResponseWriter, r *http.Request)) {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.answer = f
}

func (api *vercelAPI) heard() []purgeCall {
	api.mu.Lock()
	defer api.mu.Unlock()
	return append([]purgeCall(nil), api.calls...)
}

// behindVercel is a platform whose answers Vercel's CDN keeps, and its API.
func behindVercel(t *testing.T, change ...func(*catalog.Config)) (*platform, *vercelAPI) {
	t.Helper()
	api := newVercelAPI(t)
	return newPlatform(t, append([]func(*catalog.Config){func(c *catalog.Config) {
		c.CDN = handler.CDN{TTL: 10 * time.Second, StaleWhileRevalidate: time.Minute,
			Fields: []string{"Vercel-CDN-Cache-Control"}, TagField: "Vercel-Cache-Tag"}
		c.Vercel = catalog.VercelCDN{Token: cdnToken, Project: "prj_1", Team: "team_1", Target: "production", API: api.URL}
		c.PurgeSecret = "purge"
	}}, change...)...), api
}

// What a CDN keeps carries the names of all that an invalidation may replace of
// it, found in the cache or not.
func TestAnswersForTheCDNCarryTheirTags(t *testing.T) {
	p, _ := behindVercel(t)
	for path, want := range map[string]string{
		"/api/extensions":              "restash:g,restash:t:extensions",
		"/api/mcp/fastmcp":             "restash:g,restash:p:mcp-detail:fastmcp",
		"/api/users/openai/extensions": "restash:g,restash:t:users,restash:p:user-extensions:openai",
		"/api/stats":                   "restash:g,restash:t:stats",
	} {
		for _, cache := range []string{"MISS", "HIT"} {
			got := p.get(path)
			assert.Equal(t, cache, got.cache(), path)
			assert.Equal(t, []string{want}, got.Header().Values("Vercel-Cache-Tag"), path)
			assert.Contains(t, got.Header().Get("Vercel-CDN-Cache-Control"), "max-age=10", path)
		}
	}
	profile := p.get("/api/users/openai")
	assert.Empty(t, profile.Header().Values("Vercel-Cache-Tag"), "no CDN keeps it")
	assert.Empty(t, newPlatform(t).get("/api/stats").Header().Values("Vercel-Cache-Tag"))
}

func TestAnInvalidationMarksWhatTheCDNHolds(t *testing.T) {
	p, api := behindVercel(t)
	got := p.do("POST", "/api/mcp/fastmcp/download", "")
	require.Equal(t, 200, got.Code)
	assert.Equal(t, "done", got.Header().Get("X-CDN-Invalidation"))
	require.Len(t, api.heard(), 1)
	call := api.heard()[0]
	assert.Equal(t, []string{"POST", "/v1/edge-cache/invalidate-by-tags", "projectIdOrName=prj_1&teamId=team_1", "Bearer " + cdnToken, "application/json", "production"},
		[]string{call.Method, call.Path, call.Query, call.Auth, call.Type, call.Target})
	tags := strings.Split(p.get("/api/mcp/fastmcp").Header().Get("Vercel-Cache-Tag"), ",")
	assert.Subset(t, call.Tags, tags[1:], "the page of the item is among them")
	assert.NotContains(t, call.Tags, tags[0], "and not everything")

	require.Equal(t, 200, p.do("POST", "/api/login", `{"username":"openai"}`).Code)
	assert.Len(t, api.heard(), 1, "no CDN keeps a profile")
}

// A write is as good and nearly as fast without the CDN, and what it could not
// hear is told by a later request, a reader's too.
func TestWhatTheCDNDidNotHearIsPending(t *testing.T) {
	var logs bytes.Buffer
	p, api := behindVercel(t, func(c *catalog.Config) { c.Logger = slog.New(slog.NewTextHandler(&logs, nil)) })
	api.answers(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no: "+cdnToken, http.StatusForbidden) })
	got := p.do("POST", "/api/mcp/fastmcp/download", "")
	assert.Equal(t, 200, got.Code)
	assert.Equal(t, "done", got.Header().Get("X-Cache-Invalidation"))
	assert.Equal(t, "pending", got.Header().Get("X-CDN-Invalidation"))
	assert.Equal(t, "1", p.get("/api/cache/metrics").Header().Get("X-CDN-Pending"))
	assert.Len(t, api.heard(), 1, "it is left alone for a while")
	assert.Contains(t, logs.String(), "answered 403")
	assert.NotContains(t, logs.String()+fmt.Sprintf("%v", got.Header()), cdnToken)

	api.answers(nil)
	require.Eventually(t, func() bool { p.get("/api/stats"); return len(api.heard()) == 2 }, 10*time.Second, 50*time.Millisecond)
	assert.Equal(t, api.heard()[0].Tags, api.heard()[1].Tags)
	assert.Equal(t, "0", p.get("/api/cache/metrics").Header().Get("X-CDN-Pending"))
}

func TestASlowCDNHoldsUpAWriteForASecondOnce(t *testing.T) {
	p, api := behindVercel(t)
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	api.answers(func(http.ResponseWriter, *http.Request) { <-end })
	for range 3 {
		start := time.Now()
		got := p.do("POST", "/api/mcp/fastmcp/download", "")
		assert.Equal(t, 200, got.Code)
		assert.Equal(t, "pending", got.Header().Get("X-CDN-Invalidation"))
		assert.Less(t, time.Since(start), 2900*time.Millisecond)
	}
	assert.LessOrEqual(t, len(api.heard()), 2, "not every write waits")
}

// Redis first: else another instance would fill the CDN again from what Redis
// still holds.
func TestTheCDNHearsNothingBeforeRedis(t *testing.T) {
	p, api := behindVercel(t)
	heal := p.server.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	got := p.do("POST", "/api/mcp/fastmcp/download", "")
	assert.Equal(t, 200, got.Code)
	assert.Equal(t, "pending", got.Header().Get("X-Cache-Invalidation"))
	assert.Equal(t, "pending", got.Header().Get("X-CDN-Invalidation"))
	assert.Empty(t, api.heard())
	heal()
	require.NoError(t, p.app.Close(t.Context()))
	assert.Len(t, api.heard(), 1, "the end of a process tells what is left")
}

func TestAnOperatorsPurgeReachesTheCDN(t *testing.T) {
	p, api := behindVercel(t)
	purge := func(query string) int {
		return p.do("POST", "/api/cache/invalidate?"+query, "", "Authorization", "Bearer purge").Code
	}
	require.Equal(t, 200, purge("tag=stats&dryRun=true"))
	require.Equal(t, 400, purge("nothing=1"))
	assert.Empty(t, api.heard())
	require.Equal(t, 200, purge("tag=stats"))
	require.Len(t, api.heard(), 1)
	assert.Equal(t, []string{"restash:g"}, api.heard()[0].Tags)
}

func TestTheCDNIsToldAsTheEnvironmentSays(t *testing.T) {
	settings := func(values map[string]string) catalog.Config {
		for _, name := range []string{"VERCEL", "VERCEL_ENV", "VERCEL_PROJECT_ID", "CATALOG_CDN_TTL", "CATALOG_CDN_TOKEN", "CATALOG_CDN_TEAM"} {
			t.Setenv(name, values[name])
		}
		return catalog.ConfigFromEnv(nil, nil)
	}
	all := map[string]string{"VERCEL": "1", "VERCEL_ENV": "production", "VERCEL_PROJECT_ID": "prj_1",
		"CATALOG_CDN_TTL": "10s", "CATALOG_CDN_TOKEN": cdnToken, "CATALOG_CDN_TEAM": "team_1"}
	got := settings(all)
	assert.Equal(t, "Vercel-Cache-Tag", got.CDN.TagField)
	assert.Equal(t, catalog.VercelCDN{Token: cdnToken, Project: "prj_1", Team: "team_1", Target: "production"}, got.Vercel)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, got)+fmt.Sprintf(verb, got.Vercel), cdnToken)
	}
	all["VERCEL_ENV"] = "preview"
	assert.Equal(t, "preview", settings(all).Vercel.Target)
	all["VERCEL_PROJECT_ID"] = ""
	assert.Zero(t, settings(all).Vercel, "a project must be named")
	all["VERCEL"] = ""
	elsewhere := settings(all)
	assert.Zero(t, elsewhere.Vercel)
	assert.Empty(t, elsewhere.CDN.TagField, "another CDN has other words for it")
}

// A token with a line's end in it cannot be sent, and is not told either.
func TestABrokenTokenIsNotTold(t *testing.T) {
	var logs bytes.Buffer
	p, api := behindVercel(t, func(c *catalog.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logs, nil))
		c.Vercel.Token = cdnToken + "\n1"
	})
	assert.Equal(t, "pending", p.do("POST", "/api/mcp/fastmcp/download", "").Header().Get("X-CDN-Invalidation"))
	assert.Empty(t, api.heard())
	assert.NotContains(t, logs.String(), cdnToken)
	_, err := catalog.New(catalog.Config{Database: p.db, Store: p.store, Vercel: catalog.VercelCDN{Token: cdnToken}})
	require.ErrorContains(t, err, "VercelCDN.Project")
	assert.NotContains(t, errors.Join(err).Error(), cdnToken)
}
