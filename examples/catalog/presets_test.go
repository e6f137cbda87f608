package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/examples/catalog"
)

// The numbers are those of the platform that this one replaces.
func TestPresetTable(t *testing.T) {
	lifetimes := map[string][2]time.Duration{
		"GET /api/extensions":              {time.Hour, 5 * time.Minute},
		"GET /api/mcp":                     {time.Hour, 5 * time.Minute},
		"GET /api/extensions/{id}":         {30 * time.Minute, 5 * time.Minute},
		"GET /api/mcp/{id}":                {30 * time.Minute, 5 * time.Minute},
		"GET /api/users/{name}":            {5 * time.Minute, time.Minute},
		"GET /api/users/{name}/extensions": {5 * time.Minute, time.Minute},
		"GET /api/users/{name}/mcp":        {5 * time.Minute, time.Minute},
		"GET /api/users/{name}/stats":      {10 * time.Minute, 2 * time.Minute},
		"GET /api/stats":                   {10 * time.Minute, 2 * time.Minute},
		"GET /api/categories":              {2 * time.Hour, 10 * time.Minute},
		"GET /api/featured/{type}":         {15 * time.Minute, 5 * time.Minute},
	}
	names := map[string]bool{}
	for _, row := range catalog.Presets() {
		want, known := lifetimes[row.Route]
		assert.True(t, known, "%s is not in the table of the design", row.Route)
		assert.Equal(t, want, [2]time.Duration{row.Config.TTL, row.Config.StaleWhileRevalidate}, row.Route)
		assert.True(t, row.Config.Public, row.Route)
		assert.False(t, names[row.Config.Name()], "%s is taken twice", row.Config.Name())
		names[row.Config.Name()] = true
		delete(lifetimes, row.Route)
	}
	assert.Empty(t, lifetimes)
	assert.Equal(t, map[string]string{"search": "", "category": "", "platform": "", "sort": "downloads", "page": "1", "limit": "20"},
		map[string]string(catalog.ExtensionsList.Query))
}

func ExamplePresets() {
	for _, row := range catalog.Presets()[:3] {
		fmt.Println(strings.TrimPrefix(row.Route, "GET "), row.Config.TTL, row.Config.StaleWhileRevalidate, row.Config.Tags)
	}
	// Output:
	// /api/extensions 1h0m0s 5m0s [extensions]
	// /api/extensions/{id} 30m0s 5m0s []
	// /api/mcp 1h0m0s 5m0s [mcp]
}

func ExampleOnExtensionCreate() {
	fmt.Println(catalog.OnExtensionCreate("ada", "devtools", "ada-engine"))
	// Output:
	// tag(extensions) tag(categories) tag(stats) prefix(extension-detail, ada-engine) prefix(user-extensions, ada) prefix(user-stats, ada)
}

func ExampleOnRating() {
	fmt.Println(catalog.OnRating(catalog.MCP, "", "fastmcp"))
	// Output:
	// tag(mcp) tag(stats) prefix(mcp-detail, fastmcp) key(featured, mcp:fastmcp)
}
