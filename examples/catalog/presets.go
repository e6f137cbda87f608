package catalog

import (
	"maps"

	"github.com/cldcde/restash/handler"
)

// Preset is a row of the preset table: which route is cached, and how.
type Preset struct {
	// Route is a pattern of [net/http.ServeMux].
	Route string
	// Config has the lifetime, the tags and the query parameters that count, with
	// their defaults. It is also a handle for package invalidate: the keys of its
	// entries begin with the values in the path, such as an item's id.
	Config handler.Config
}

// The presets. Extensions and MCP servers have presets of their own, so that a
// change of one leaves the other alone.
var (
	ExtensionsList  = preset("extensions-list", handler.Lists, listDefaults, "extensions")
	McpList         = preset("mcp-list", handler.Lists, listDefaults, "mcp")
	ExtensionDetail = preset("extension-detail", handler.Details, nil)
	McpDetail       = preset("mcp-detail", handler.Details, nil)
	UserProfile     = preset("user-profile", handler.UserData, nil, "users")
	UserExtensions  = preset("user-extensions", handler.UserData, pageDefaults, "users")
	UserMcp         = preset("user-mcp", handler.UserData, pageDefaults, "users")
	UserStats       = preset("user-stats", handler.Stats, nil, "users")
	Categories      = preset("categories", handler.Categories, nil, "categories")
	Statistics      = preset("stats", handler.Stats, nil, "stats")
	Featured        = preset("featured", handler.Featured, nil, "featured")
)

// presets is the table. The handlers of two routes, marked below, use a typed
// handle of package strategies; for them it gives lifetimes and tags only.
var presets = []Preset{
	{"GET /api/extensions", ExtensionsList},
	{"GET /api/extensions/{id}", ExtensionDetail},
	{"GET /api/mcp", McpList},
	{"GET /api/mcp/{id}", McpDetail},
	{"GET /api/users/{name}", UserProfile}, // profile.go
	{"GET /api/users/{name}/extensions", UserExtensions},
	{"GET /api/users/{name}/mcp", UserMcp},
	{"GET /api/users/{name}/stats", UserStats},
	{"GET /api/categories", Categories},
	{"GET /api/stats", Statistics},
	{"GET /api/featured/{type}", Featured}, // featured.go
}

// Presets returns the preset table.
func Presets() []Preset {
	table := make([]Preset, len(presets))
	for i, row := range presets {
		row.Config.Query = maps.Clone(row.Config.Query)
		table[i] = row
	}
	return table
}

// preset fills in what all have in common: no answer depends on who asks, so
// cookies and tokens are left out of account.
func preset(name string, life handler.Lifetime, query map[string]string, tags ...string) handler.Config {
	config := life.Config(name)
	config.Tags, config.Query, config.Public = tags, query, true
	return config
}
