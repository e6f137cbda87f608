package catalog_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

// watched is a page of every kind, of what the actions below touch and of what
// they must not.
var watched = []string{
	"/api/extensions", "/api/extensions?category=agents&sort=recent",
	"/api/extensions/openai-codex", "/api/extensions/google-gemini-cli",
	"/api/mcp", "/api/mcp?search=playwright",
	"/api/mcp/playwright-mcp", "/api/mcp/fastmcp",
	"/api/users/openai", "/api/users/google",
	"/api/users/openai/extensions", "/api/users/openai/extensions?sort=recent", "/api/users/google/extensions",
	"/api/users/openai/mcp", "/api/users/playwright/mcp",
	"/api/users/openai/stats", "/api/users/playwright/stats", "/api/users/google/stats",
	"/api/categories", "/api/stats", "/api/featured/extensions", "/api/featured/mcp",
}

// actionRow is a row of the action table: a write, and all pages that it makes
// invalid. Every other watched page must stay a HIT.
type actionRow struct {
	name         string
	method, path string
	body         string
	target       string
	missed       []string
}

var extensionLists = []string{"/api/extensions", "/api/extensions?category=agents&sort=recent"}
var mcpLists = []string{"/api/mcp", "/api/mcp?search=playwright"}

var actionRows = []actionRow{
	{
		name: "OnExtensionCreate", method: "POST", path: "/api/extensions",
		body:   `{"name":"@openai/new","version":"1.0.0","category":"agents"}`,
		target: catalog.OnExtensionCreate("openai", "agents", "openai-new").String(),
		missed: slices.Concat(extensionLists, []string{"/api/users/openai/extensions", "/api/users/openai/extensions?sort=recent",
			"/api/users/openai/stats", "/api/categories", "/api/stats"}),
	},
	{
		name: "OnMcpCreate", method: "POST", path: "/api/mcp",
		body:   `{"name":"@playwright/new","version":"1.0.0","category":"browser"}`,
		target: catalog.OnMcpCreate("playwright", "browser", "playwright-new").String(),
		missed: slices.Concat(mcpLists, []string{"/api/users/playwright/mcp", "/api/users/playwright/stats", "/api/categories", "/api/stats"}),
	},
	{
		name: "OnExtensionUpdate", method: "PUT", path: "/api/extensions/openai-codex", body: `{"category":"sdk"}`,
		target: catalog.OnExtensionUpdate("openai", "sdk", "openai-codex").String(),
		missed: slices.Concat(extensionLists, []string{"/api/extensions/openai-codex", "/api/users/openai/extensions",
			"/api/users/openai/extensions?sort=recent", "/api/categories", "/api/featured/extensions"}),
	},
	{
		name: "OnMcpUpdate", method: "PUT", path: "/api/mcp/playwright-mcp", body: `{"version":"2.0.0"}`,
		target: catalog.OnMcpUpdate("playwright", "browser", "playwright-mcp").String(),
		missed: slices.Concat(mcpLists, []string{"/api/mcp/playwright-mcp", "/api/users/playwright/mcp", "/api/categories", "/api/featured/mcp"}),
	},
	{
		name: "OnExtensionDownload", method: "POST", path: "/api/extensions/openai-codex/download",
		target: catalog.OnExtensionDownload("openai", "openai-codex").String(),
		missed: []string{"/api/extensions/openai-codex", "/api/users/openai/stats", "/api/featured/extensions"},
	},
	{
		name: "OnMcpDownload", method: "POST", path: "/api/mcp/playwright-mcp/download",
		target: catalog.OnMcpDownload("playwright", "playwright-mcp").String(),
		missed: []string{"/api/mcp/playwright-mcp", "/api/users/playwright/stats", "/api/featured/mcp"},
	},
	{
		name: "OnRating", method: "POST", path: "/api/extensions/openai-codex/rating", body: `{"rating":5}`,
		target: catalog.OnRating(catalog.Extension, "openai", "openai-codex").String(),
		missed: slices.Concat(extensionLists, []string{"/api/extensions/openai-codex", "/api/users/openai/extensions",
			"/api/users/openai/extensions?sort=recent", "/api/users/openai/stats", "/api/stats", "/api/featured/extensions"}),
	},
	{
		name: "OnRating", method: "POST", path: "/api/mcp/fastmcp/rating", body: `{"rating":1}`, // has no author
		target: catalog.OnRating(catalog.MCP, "", "fastmcp").String(),
		missed: slices.Concat(mcpLists, []string{"/api/mcp/fastmcp", "/api/stats", "/api/featured/mcp"}),
	},
	{
		name: "OnProfileUpdate", method: "PUT", path: "/api/users/openai", body: `{"displayName":"Open"}`,
		target: catalog.OnProfileUpdate("openai").String(),
		missed: []string{"/api/users/openai/stats"}, // the profile itself was written through: a HIT of the new one
	},
	{
		name: "OnLogin", method: "POST", path: "/api/login", body: `{"username":"openai"}`,
		target: catalog.OnLogin("openai").String(),
		missed: []string{"/api/users/openai"},
	},
}

func TestActionTableWhatBecomesMissAndWhatStaysHit(t *testing.T) {
	for _, row := range actionRows {
		t.Run(row.name+" "+row.path, func(t *testing.T) {
			p := newPlatform(t)
			before := map[string]string{}
			for _, target := range watched {
				p.get(target)
			}
			for _, target := range watched {
				again := p.get(target)
				require.Equal(t, "HIT", again.cache(), target)
				before[target] = again.Body.String()
			}
			w := p.do(row.method, row.path, row.body)
			require.Less(t, w.Code, 300, w.Body)
			assert.Equal(t, "done", w.Header().Get("X-Cache-Invalidation"))
			for _, target := range watched {
				want := "HIT"
				if slices.Contains(row.missed, target) {
					want = "MISS"
				}
				assert.Equal(t, want, p.get(target).cache(), target)
			}
			for _, target := range row.missed {
				assert.Equal(t, "HIT", p.get(target).cache(), "%s is cached again", target)
			}
		})
	}
}

// What the table says and what a route does are the same targets.
func TestActionTableTargets(t *testing.T) {
	for _, row := range actionRows {
		assert.NotEmpty(t, row.target, row.name)
		assert.NotContains(t, row.target, "all", "%s: an action never empties everything", row.name)
		assert.NotContains(t, row.target, "pattern", "%s: an action never scans", row.name)
	}
}

// Every exported action must have a row here.
func TestActionTableIsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "actions.go", nil, 0)
	require.NoError(t, err)
	for _, decl := range file.Decls {
		f, isFunc := decl.(*ast.FuncDecl)
		if !isFunc || !strings.HasPrefix(f.Name.Name, "On") {
			continue
		}
		assert.True(t, slices.ContainsFunc(actionRows, func(r actionRow) bool { return r.name == f.Name.Name }),
			"%s has no row", f.Name.Name)
	}
}

// A page that was invalidated shows the new state at once, one of another
// instance too.
func TestWritesAreSeenByTheNextReadInAnotherInstance(t *testing.T) {
	p := newPlatform(t)
	other := instance(t, p.server, p.db)
	for range 2 {
		other.get("/api/extensions/openai-codex")
		other.get("/api/users/openai")
	}
	require.Equal(t, 200, p.do("POST", "/api/extensions/openai-codex/rating", `{"rating":1}`).Code)
	require.Equal(t, 200, p.do("PUT", "/api/users/openai", `{"bio":"new"}`).Code)
	var detail struct{ Extension catalog.Item }
	got := other.get("/api/extensions/openai-codex")
	got.json(&detail)
	assert.Equal(t, "MISS", got.cache())
	stored, err := p.db.Item(t.Context(), catalog.Extension, "openai-codex")
	require.NoError(t, err)
	assert.Equal(t, stored, detail.Extension)

	var profile struct{ User catalog.User }
	got = other.get("/api/users/openai")
	got.json(&profile)
	assert.Equal(t, "HIT", got.cache(), "written through")
	assert.Equal(t, "new", profile.User.Bio)
	assert.EqualValues(t, 2, profile.User.Version)
}

// All targets of an action are one command and one round trip,
// however many pages they hit.
func TestWhatWritesCost(t *testing.T) {
	p := newPlatform(t)
	p.get("/api/users/openai")
	for _, row := range []struct {
		method, path, body string
		commands, trips    int
	}{
		{"POST", "/api/extensions", `{"name":"@openai/new","version":"1.0.0","category":"agents"}`, 1, 1},
		{"POST", "/api/extensions/openai-codex/rating", `{"rating":5}`, 1, 1},
		{"POST", "/api/mcp/mcp-proxy/download", ``, 1, 1},
		{"POST", "/api/login", `{"username":"openai"}`, 1, 1},
		{"PUT", "/api/users/openai", `{"bio":"x"}`, 4, 3}, // write-through 3/2, and one page
	} {
		bill := p.server.ExpectBill(t, row.commands, row.trips)
		got := p.do(row.method, row.path, row.body)
		bill()
		assert.Less(t, got.Code, 300, got.Body)
	}
}
