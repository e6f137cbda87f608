package catalog_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

func TestListIsAMissThenAHitWithTheSameBody(t *testing.T) {
	p := newPlatform(t)
	bill := p.server.ExpectBill(t, 2, 2)
	first := p.get("/api/extensions?sort=downloads")
	bill()
	assert.Equal(t, "MISS", first.cache())
	bill = p.server.ExpectBill(t, 1, 1)
	second := p.get("http://127.0.0.1:3000/api/extensions?limit=20&utm_source=x", "Cookie", "a=b", "Authorization", "Bearer x")
	bill()
	assert.Equal(t, "HIT", second.cache(), "defaults, other parameters, host and credentials do not matter")
	assert.Equal(t, first.Body.String(), second.Body.String())
	var list page
	second.json(&list)
	assert.Equal(t, "anthropic-ai-claude-code", list.Extensions[0].ID)
	assert.Equal(t, catalog.Pagination{Page: 1, Limit: 20, Total: 247, TotalPages: 13, HasNext: true}, list.Pagination)
}

// The shapes are a contract with clients of the platform that this one replaces.
func TestShapes(t *testing.T) {
	p := newPlatform(t)
	shape := func(target string) string {
		var body map[string]any
		p.get(target).json(&body)
		return strings.Join(names(body), " ")
	}
	assert.Equal(t, "extensions pagination", shape("/api/extensions"))
	assert.Equal(t, "extensions pagination", shape("/api/extensions?search=nothing-has-this-name"))
	assert.Equal(t, "mcpServers pagination", shape("/api/mcp"))
	assert.Equal(t, "extension", shape("/api/extensions/openai-codex"))
	assert.Equal(t, "mcpServer", shape("/api/mcp/fastmcp"))
	assert.Equal(t, "user", shape("/api/users/openai"))
	assert.Equal(t, "extensions pagination", shape("/api/users/openai/extensions"))
	assert.Equal(t, "mcpServers pagination", shape("/api/users/openai/mcp"))
	assert.Equal(t, "stats", shape("/api/users/openai/stats"))
	assert.Equal(t, "categories", shape("/api/categories"))
	assert.Equal(t, "stats", shape("/api/stats"))
	assert.Equal(t, "featured", shape("/api/featured/extensions"))
	assert.Contains(t, p.get("/api/cache/metrics").Body.String(), `{"metrics":{"hits":`)

	empty := p.get("/api/extensions?search=nothing-has-this-name")
	assert.Contains(t, empty.Body.String(), `"extensions":[]`)
	assert.Contains(t, empty.Body.String(), `"pagination":{"page":1,"limit":20,"total":0,"totalPages":0,"hasNext":false,"hasPrev":false}`)
	assert.Contains(t, p.get("/api/extensions/openai-codex").Body.String(), `"id":"openai-codex","name":"@openai/codex","version":`)
}

func names(object map[string]any) []string {
	var list []string
	for name := range object {
		list = append(list, name)
	}
	if len(list) == 2 && list[0] > list[1] {
		list[0], list[1] = list[1], list[0]
	}
	return list
}

func TestThreeSortsAreThreePages(t *testing.T) {
	p := newPlatform(t)
	seen := map[string]string{}
	for _, sort := range []string{"downloads", "rating", "recent"} {
		list, cache := p.page("/api/extensions?sort=" + sort)
		assert.Equal(t, "MISS", cache, sort)
		key := fmt.Sprint(ids(list.Extensions))
		assert.Empty(t, seen[key], "%s gives the same page as %s", sort, seen[key])
		seen[key] = sort
	}
}

func TestBadRequestsGetAJSONErrorCostNothingAndAreNotCached(t *testing.T) {
	p := newPlatform(t)
	long := strings.Repeat("x", 1<<20)
	for _, row := range []struct {
		method, target, body string
		status               int
		code                 string
	}{
		{"GET", "/api/extensions?page=0", "", 400, "invalid_request"},
		{"GET", "/api/extensions?limit=100000", "", 400, "invalid_request"},
		{"GET", "/api/extensions?sort=;drop", "", 400, "invalid_request"},
		{"GET", "/api/extensions?sort=%3Bdrop", "", 400, "invalid_request"},
		{"GET", "/api/extensions?category=nothing", "", 400, "invalid_request"},
		{"GET", "/api/extensions?search=" + strings.Repeat("x", 200), "", 400, "invalid_request"},
		{"GET", "/api/extensions?search=%zz", "", 400, "invalid_request"},
		{"GET", "/api/extensions?page=1&page=2", "", 400, "invalid_request"},
		{"GET", "/api/extensions?search=" + long, "", 413, "too_large"},
		{"GET", "/api/users/openai/extensions?page=0", "", 400, "invalid_request"},
		{"GET", "/api/extensions/..%2f..%2fetc", "", 404, "not_found"},
		{"GET", "/api/users/%00", "", 404, "not_found"},
		{"GET", "/api/featured/nothing", "", 404, "not_found"},
		{"GET", "/api/nothing", "", 404, "not_found"},
		{"GET", "/nothing", "", 404, "not_found"},
		{"DELETE", "/api/extensions/openai-codex", "", 405, "method_not_allowed"},
		{"POST", "/api/extensions", "{", 400, "invalid_json"},
		{"POST", "/api/extensions", `{"name":"@a/b","version":"1","category":"sdk"}{}`, 400, "invalid_json"},
		{"POST", "/api/extensions", `{"name":"@a/b","downloads":1}`, 400, "invalid_json"},
		{"POST", "/api/extensions", `{"name":"` + long + `"}`, 413, "too_large"},
		{"POST", "/api/extensions", `{"name":"@a/b","version":"1","category":"nothing"}`, 400, "invalid_request"},
		{"POST", "/api/extensions", `{"name":"<script>","version":"1","category":"sdk"}`, 400, "invalid_request"},
		{"POST", "/api/extensions", `{"name":"@openai/codex","version":"1","category":"sdk"}`, 409, "exists"},
		{"PUT", "/api/extensions/openai-codex", `{}`, 400, "invalid_request"},
		{"PUT", "/api/extensions/openai-codex", `{"version":""}`, 400, "invalid_request"},
		{"PUT", "/api/extensions/nobody", `{"version":"2"}`, 404, "not_found"},
		{"POST", "/api/extensions/openai-codex/rating", `{"rating":6}`, 400, "invalid_request"},
		{"POST", "/api/extensions/openai-codex/rating", ``, 400, "invalid_json"},
		{"POST", "/api/extensions/nobody/download", ``, 404, "not_found"},
		{"PUT", "/api/users/nobody", `{"bio":"x"}`, 404, "not_found"},
		{"PUT", "/api/users/openai", `{"displayName":""}`, 400, "invalid_request"},
		{"POST", "/api/login", `{"username":"nobody"}`, 401, "unauthorized"},
	} {
		name := row.method + " " + row.target[:min(len(row.target), 60)]
		bill := p.server.ExpectBill(t, 0, 0)
		if row.method == "GET" && row.code == "not_found" {
			bill = func() {} // asks the cache first
		}
		got := p.do(row.method, row.target, row.body)
		bill()
		assert.Equal(t, row.status, got.Code, "%s: %s", name, got.Body)
		code, message := got.problem()
		assert.Equal(t, row.code, code, name)
		assert.NotEmpty(t, message, name)
		assert.NotContains(t, message, "sql", name)
		assert.Equal(t, "application/json; charset=utf-8", got.Header().Get("Content-Type"), name)
	}
	list, _ := p.page("/api/extensions")
	assert.EqualValues(t, 247, list.Pagination.Total, "nothing was lost or added")
}

func TestUnknownItemsAreNotCached(t *testing.T) {
	p := newPlatform(t)
	for _, target := range []string{"/api/extensions/openai-new", "/api/users/nobody", "/api/users/nobody/stats", "/api/users/nobody/extensions"} {
		for range 2 {
			got := p.do("GET", target, "")
			assert.Equal(t, 404, got.Code, target)
			assert.NotEqual(t, "HIT", got.cache(), target)
		}
	}
	require.Equal(t, 201, p.do("POST", "/api/extensions", `{"name":"@openai/new","version":"1.0.0","category":"agents"}`).Code)
	p.get("/api/extensions/openai-new")
}

func TestPublishedItemsAreFoundAtOnce(t *testing.T) {
	p := newPlatform(t)
	for range 2 {
		p.page("/api/extensions?sort=recent")
	}
	got := p.do("POST", "/api/extensions", `{"name":"@ada/engine","version":"1.0.0","description":"computes <everything>","category":"devtools"}`)
	require.Equal(t, 201, got.Code, got.Body)
	assert.Equal(t, "/api/extensions/ada-engine", got.Header().Get("Location"))
	list, cache := p.page("/api/extensions?sort=recent")
	assert.Equal(t, "MISS", cache)
	assert.Equal(t, "ada-engine", list.Extensions[0].ID)
	assert.EqualValues(t, 248, list.Pagination.Total)
	assert.False(t, list.Extensions[0].Sample)
	p.get("/api/users/ada")
	list, _ = p.page("/api/users/ada/extensions")
	assert.Len(t, list.Extensions, 1)
}

func TestWritesNeedTheirToken(t *testing.T) {
	for name, change := range map[string]func(*catalog.Config){
		"unset": func(c *catalog.Config) { c.AllowWrites = false },
		"set":   func(c *catalog.Config) { c.AllowWrites, c.WriteToken = false, "secret" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, change)
			for _, route := range []string{
				"POST /api/extensions", "PUT /api/extensions/openai-codex", "POST /api/extensions/openai-codex/rating",
				"POST /api/extensions/openai-codex/download", "POST /api/mcp", "PUT /api/mcp/fastmcp",
				"POST /api/mcp/fastmcp/rating", "POST /api/mcp/fastmcp/download", "PUT /api/users/openai", "POST /api/login",
			} {
				method, path, _ := strings.Cut(route, " ")
				for _, header := range []string{"", "Bearer ", "Bearer wrong", "secret", "Basic secret"} {
					got := p.do(method, path, "{}", "Authorization", header)
					assert.Equal(t, http.StatusForbidden, got.Code, "%s with %q", route, header)
					code, _ := got.problem()
					assert.Equal(t, "forbidden", code)
				}
			}
			got := p.do("POST", "/api/extensions/openai-codex/download", "", "Authorization", "Bearer secret")
			assert.Equal(t, name == "set", got.Code == http.StatusOK)
		})
	}
}

func TestErrorsNameTheField(t *testing.T) {
	p := newPlatform(t)
	for body, want := range map[string]string{
		`{"name":"@a/b","downloads":1}`: `unknown field "downloads"`,
		`{"name":7}`:                    `field "name" cannot be a JSON number`,
		`{"name":["a"]}`:                `field "name" cannot be a JSON array`,
		`[]`:                            `the body must be one JSON object with known fields only`,
	} {
		_, message := p.do("POST", "/api/extensions", body).problem()
		assert.Equal(t, want, message, body)
	}
}

func TestPagesOfOtherSitesCannotWrite(t *testing.T) {
	p := newPlatform(t)
	got := p.do("POST", "/api/extensions/openai-codex/download", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, got.Code)
	code, _ := got.problem()
	assert.Equal(t, "cross_origin", code)
}

func TestOperatorsRoutesNeedTheirSecrets(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.PurgeSecret, c.CronSecret = "purge", "cron" })
	for range 2 {
		p.get("/api/extensions")
	}
	for _, secret := range []string{"", "Bearer cron", "Bearer purg"} {
		got := p.do("POST", "/api/cache/invalidate", `{"tags":["extensions"]}`, "Authorization", secret, "Content-Type", "application/json")
		assert.Contains(t, []int{401, 403}, got.Code, secret)
	}
	assert.Equal(t, "HIT", p.get("/api/extensions").cache())
	got := p.do("POST", "/api/cache/invalidate", `{"tags":["extensions"]}`, "Authorization", "Bearer purge", "Content-Type", "application/json")
	require.Equal(t, 200, got.Code, got.Body)
	assert.Equal(t, "MISS", p.get("/api/extensions").cache())
	for _, secret := range []string{"", "Bearer purge", "Bearer cron2"} {
		for _, method := range []string{"GET", "POST"} {
			assert.Equal(t, 401, p.do(method, "/api/cron/warm", "", "Authorization", secret).Code, secret)
		}
	}
}

func TestUnsetSecretsRefuseEverybody(t *testing.T) {
	p := newPlatform(t)
	for _, secret := range []string{"", "Bearer ", "Bearer x"} {
		assert.Contains(t, []int{401, 403}, p.do("POST", "/api/cache/invalidate", `{"all":true}`, "Authorization", secret).Code)
		assert.Equal(t, 403, p.do("GET", "/api/cron/warm", "", "Authorization", secret).Code)
	}
}

func TestDemoLoginSignsACookieAndSaysWhatItIs(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	p := newPlatform(t, func(c *catalog.Config) { c.Now = func() time.Time { return at } })
	got := p.do("POST", "/api/login", `{"username":"openai"}`)
	require.Equal(t, 200, got.Code, got.Body)
	assert.Contains(t, got.Body.String(), "demo login")
	cookie := got.Result().Cookies()[0]
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	var profile struct{ User catalog.User }
	p.get("/api/users/openai").json(&profile)
	require.NotNil(t, profile.User.LastLoginAt)
	assert.Equal(t, at, *profile.User.LastLoginAt)

	publish := func(name, cookie string) string {
		got := p.do("POST", "/api/mcp", `{"name":"`+name+`","version":"1.0.0","category":"sdk"}`, "Cookie", cookie)
		require.Equal(t, 201, got.Code, got.Body)
		var body struct{ McpServer catalog.Item }
		got.json(&body)
		return body.McpServer.Author
	}
	value := cookie.Name + "=" + cookie.Value
	assert.Equal(t, "openai", publish("one", value))
	flipped := []byte(value)
	flipped[len(flipped)-2] ^= 1
	assert.Empty(t, publish("two", string(flipped)), "a forged signature counts as none")
	assert.Empty(t, publish("three", cookie.Name+"=nonsense"))
	at = at.Add(24 * time.Hour)
	assert.Empty(t, publish("four", value), "expired")
}

func TestFeaturedIsAHitOnlyIfAllItemsWere(t *testing.T) {
	p := newPlatform(t)
	bill := p.server.ExpectBill(t, 2, 2) // one MGET, six entries stored by one MSETEX
	assert.Equal(t, "MISS", p.get("/api/featured/mcp").cache())
	bill()
	bill = p.server.ExpectBill(t, 1, 1)
	assert.Equal(t, "HIT", p.get("/api/featured/mcp").cache())
	bill()
	require.Equal(t, 200, p.do("POST", "/api/mcp/fastmcp/download", "").Code)
	bill = p.server.ExpectBill(t, 2, 2)
	assert.Equal(t, "MISS", p.get("/api/featured/mcp").cache())
	bill()
	var body struct{ Featured []catalog.Item }
	p.get("/api/featured/mcp").json(&body)
	require.Len(t, body.Featured, 6)
	assert.Equal(t, "playwright-mcp", body.Featured[0].ID)
}

func TestEveryPageAnswersFromTheDatabaseWithoutRedis(t *testing.T) {
	p := newPlatform(t)
	p.server.Close()
	for _, target := range watched {
		assert.NotEqual(t, "HIT", p.get(target).cache(), target)
	}
	got := p.do("POST", "/api/extensions/openai-codex/download", "")
	assert.Equal(t, 200, got.Code)
	assert.Equal(t, "pending", got.Header().Get("X-Cache-Invalidation"))
	got = p.do("PUT", "/api/users/openai", `{"bio":"new"}`)
	assert.Equal(t, 200, got.Code)
	assert.Equal(t, "pending", got.Header().Get("X-Cache-Invalidation"))
	assert.Contains(t, p.get("/api/users/openai").Body.String(), `"bio":"new"`)
}

func TestMetricsCountTheseRequests(t *testing.T) {
	p := newPlatform(t)
	p.get("/api/extensions")
	p.get("/api/extensions")
	p.get("/api/users/openai")
	var body struct{ Metrics map[string]any }
	p.get("/api/cache/metrics").json(&body)
	assert.InDelta(t, 1, body.Metrics["hits"], 0)
	assert.InDelta(t, 2, body.Metrics["misses"], 0)
	assert.InDelta(t, 3, body.Metrics["totalRequests"], 0)
}

func TestIndexListsTheRoutes(t *testing.T) {
	p := newPlatform(t)
	var body struct{ Routes []string }
	require.NoError(t, json.Unmarshal(p.get("/").Body.Bytes(), &body))
	for _, row := range catalog.Presets() {
		assert.Contains(t, body.Routes, row.Route)
	}
	assert.Contains(t, body.Routes, "POST /api/cache/invalidate")
}

func TestConfigErrorsNameTheField(t *testing.T) {
	_, err := catalog.New(catalog.Config{})
	require.ErrorContains(t, err, "Database")
	_, err = catalog.New(catalog.Config{Database: emptySQLite(t)})
	require.ErrorContains(t, err, "Store")
}

func TestPanicsAndSlowDatabasesAreAnswered(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.Now = func() time.Time { panic("on purpose") } })
	got := p.do("POST", "/api/extensions", `{"name":"@ada/engine","version":"1.0.0","category":"devtools"}`)
	assert.Equal(t, 500, got.Code)
	code, message := got.problem()
	assert.Equal(t, "internal", code)
	assert.NotContains(t, message, "purpose")

	p = newPlatform(t, func(c *catalog.Config) { c.Timeout = time.Nanosecond })
	for _, target := range []string{"/api/extensions", "/api/users/openai", "/api/featured/mcp"} {
		assert.Equal(t, 503, p.do("GET", target, "").Code, target)
	}
}

func TestHeadAndConditionalRequests(t *testing.T) {
	p := newPlatform(t)
	whole := p.get("/api/extensions/openai-codex")
	head := p.do("HEAD", "/api/extensions/openai-codex", "")
	assert.Equal(t, 200, head.Code)
	assert.Equal(t, "HIT", head.cache())
	tag := whole.Header().Get("ETag")
	require.NotEmpty(t, tag)
	assert.Equal(t, 304, p.do("GET", "/api/extensions/openai-codex", "", "If-None-Match", tag).Code)
	require.Equal(t, 200, p.do("POST", "/api/extensions/openai-codex/rating", `{"rating":1}`).Code)
	assert.Equal(t, 200, p.do("GET", "/api/extensions/openai-codex", "", "If-None-Match", tag).Code, "it has changed")
}

func TestTheListOfRoutes(t *testing.T) {
	p := newPlatform(t)
	var told struct{ Routes []string }
	p.get("/api").json(&told)
	assert.Equal(t, p.get("/").Body.String(), p.get("/api").Body.String())
	for _, row := range catalog.Presets() {
		assert.Contains(t, told.Routes, row.Route)
	}
	assert.Contains(t, told.Routes, "POST /api/cache/invalidate")
}
