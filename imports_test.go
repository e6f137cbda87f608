package restash_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row says what one package may import beside the standard library: ours are
// folders of this module ("internal/*" is every folder below), theirs are
// modules. A folder below a row's folder may also import that row's tree.
type row struct {
	ours   []string
	theirs []string
}

// importTable is the architecture: imports go down only. Each line says why.
var importTable = map[string]row{
	// Documentation: an import here would reach everyone who imports any part.
	".": {},
	// Pure values, so that a server or a test can read the table without HTTP.
	"client/command": {ours: []string{"internal/json"}},
	// The transport knows commands, never caches.
	"client": {
		ours:   []string{"client/command", "internal/base64", "internal/json"},
		theirs: []string{"github.com/hashicorp/go-retryablehttp"},
	},
	"pipeline": {ours: []string{"client", "client/command"}},
	// A leaf: it can break any call.
	"breaker":    {theirs: []string{"github.com/sony/gobreaker/v2"}},
	"invalidate": {ours: []string{"client", "client/command", "pipeline", "internal/keyspace"}},
	"strategies": {ours: []string{"client", "client/command", "pipeline", "breaker", "invalidate", "internal/*"}},
	// The algorithm: it knows no Go type of a user's and no HTTP.
	"strategies/internal/engine": {ours: []string{"client", "client/command", "breaker", "internal/flight", "internal/entry", "internal/keyspace"}},
	// Opt-in, so that its dependency is paid for by those who use it.
	"strategies/local":  {ours: []string{"strategies"}, theirs: []string{"github.com/hashicorp/golang-lru/v2"}},
	"warm":              {ours: []string{"strategies", "pipeline", "client", "client/command"}},
	"handler":           {ours: []string{"strategies", "warm"}},
	"handler/httpcache": {ours: []string{"strategies", "invalidate", "warm", "handler/internal/*", "internal/keyspace"}},
	// It counts routes of either kind and knows neither.
	"handler/ops": {ours: []string{"strategies", "invalidate", "warm", "handler/internal/route", "internal/json"}},
	// Pure functions of header fields and times: no Store, no handler.
	"handler/internal/rfc9111": {theirs: []string{"github.com/dunglas/httpsfv"}},
	// Bytes and ResponseWriters: a Store never sees them, they never see a Store.
	"handler/internal/record": {ours: []string{"handler/internal/rfc9111"}},
	"handler/internal/route":  {ours: []string{"strategies", "handler/internal/record", "handler/internal/rfc9111"}},
	// What the three packages' tests stand on; no program imports it.
	"handler/internal/rig": {ours: []string{"client", "strategies", "handler", "upstashtest"}, theirs: []string{"github.com/stretchr/testify"}},
	// The one seam to the vectorised decoder.
	"internal/base64": {theirs: []string{"github.com/emmansun/base64"}},
	// What tests look at pages with; no program imports it.
	"internal/chromium": {theirs: []string{"github.com/chromedp/chromedp", "github.com/chromedp/cdproto", "github.com/stretchr/testify"}},
	// Public packages only: it shows that they are enough. Never a driver.
	"examples/catalog": {
		ours:   []string{"client", "client/command", "pipeline", "breaker", "invalidate", "strategies", "strategies/local", "warm", "handler", "handler/ops"},
		theirs: []string{"github.com/pressly/goose/v3"},
	},
	// Never internal/: Vercel's builder renames the module and the import fails.
	"api": {
		ours:   []string{"client", "client/command", "pipeline", "breaker", "invalidate", "strategies", "strategies/local", "warm", "handler", "handler/ops", "examples/catalog"},
		theirs: []string{"github.com/jackc/pgx/v5"},
	},
	// Never client: the server and the client must not prove each other.
	"upstashtest": {
		ours:   []string{"client/command"},
		theirs: []string{"github.com/alicebob/miniredis/v2", "github.com/ohler55/ojg"},
	},
	// miniredis runs scripts on gopher-lua too, but offers no way to bill their
	// inner commands or to end one that never ends.
	"upstashtest/internal/lua": {
		ours:   []string{"client/command"},
		theirs: []string{"github.com/yuin/gopher-lua"},
	},
	"upstashtest/redisengine": {ours: []string{"upstashtest"}, theirs: []string{"github.com/redis/go-redis/v9"}},
	"cmd/restash": {
		ours:   []string{"*"},
		theirs: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/joho/godotenv", "github.com/google/uuid", "golang.org/x/term", "github.com/schollz/progressbar/v3", "modernc.org/sqlite", "github.com/jackc/pgx/v5"},
	},
	// The one seam: another JSON package can be put in here and nowhere else.
	"internal/json": {ours: []string{"client/command"}, theirs: []string{"github.com/goccy/go-json"}},
	"internal":      {ours: []string{"client/command"}},
}

// rowOf finds the row of a folder or of the nearest folder above it.
func rowOf(folder string) (string, row, bool) {
	for at := folder; at != "."; at = filepath.ToSlash(filepath.Dir(at)) {
		if r, ok := importTable[at]; ok {
			return at, r, true
		}
	}
	r, ok := importTable[folder]
	return folder, r, ok
}

func (r row) allowsOurs(owner, folder string) bool {
	// Packages under internal/ share a row but not a tree.
	if owner != "internal" && (folder == owner || strings.HasPrefix(folder, owner+"/")) {
		return true
	}
	return slices.ContainsFunc(r.ours, func(allowed string) bool {
		tree, isTree := strings.CutSuffix(allowed, "*")
		return folder == allowed || isTree && strings.HasPrefix(folder, tree)
	})
}

func (r row) allowsTheirs(path string) bool {
	return slices.ContainsFunc(r.theirs, func(module string) bool {
		return path == module || strings.HasPrefix(path, module+"/")
	})
}

// isStandard goes by the rule of the go command: only the standard library has
// no dot in the first part of its paths.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestImportsEveryPackageKeepsToItsRow(t *testing.T) {
	mod := module(t)
	for _, p := range packages(t) {
		folder := p.folder(mod)
		owner, r, ok := rowOf(folder)
		if !assert.Truef(t, ok, "%s has no row in importTable", folder) {
			continue
		}
		for _, path := range p.Imports {
			ours, isOurs := strings.CutPrefix(path, mod+"/")
			switch {
			case isStandard(path):
			case isOurs:
				assert.Truef(t, r.allowsOurs(owner, ours), "%s must not import %s", folder, ours)
			default:
				assert.Truef(t, r.allowsTheirs(path), "%s must not import %s", folder, path)
			}
		}
	}
}

// TestImportsTableRefuses shows that the table can say no.
func TestImportsTableRefuses(t *testing.T) {
	tests := []struct {
		folder, ours, theirs string
		want                 bool
	}{
		{folder: "client", ours: "client/command", want: true},
		{folder: "client", ours: "strategies"},
		{folder: "client/command", ours: "client"},
		{folder: "strategies", ours: "internal/entry", want: true},
		{folder: "strategies/local", ours: "internal/entry"},
		{folder: "api", ours: "internal/json"},
		{folder: "handler", ours: "handler/internal/route", want: true},
		{folder: "handler/ops", ours: "handler/internal/record"},
		{folder: "handler/internal/record", ours: "strategies"},
		{folder: "handler/internal/rfc9111", ours: "handler/internal/record"},
		{folder: "internal/entry", ours: "internal/keyspace"},
		{folder: "internal/entry", theirs: "github.com/goccy/go-json"},
		{folder: "internal/json", theirs: "github.com/goccy/go-json", want: true},
		{folder: "examples/catalog", theirs: "modernc.org/sqlite"},
		{folder: "examples/catalog/sub", ours: "examples/catalog", want: true},
		{folder: "upstashtest", ours: "client"},
		{folder: "cmd/restash", ours: "internal/json", want: true},
		{folder: "cmd/restash", theirs: "github.com/spf13/cobra", want: true},
		{folder: "cmd/restash", theirs: "github.com/spf13/cobrax"},
	}
	for _, tt := range tests {
		owner, r, ok := rowOf(tt.folder)
		require.True(t, ok, tt.folder)
		got := tt.ours != "" && r.allowsOurs(owner, tt.ours) || tt.theirs != "" && r.allowsTheirs(tt.theirs)
		assert.Equalf(t, tt.want, got, "%s imports %s%s", tt.folder, tt.ours, tt.theirs)
	}
	_, _, ok := rowOf("surprise")
	assert.False(t, ok, "a folder without a row")
}

// TestImportsWhatAProgramPays builds the dependency list of a program that
// imports client and strategies: these modules and no other.
func TestImportsWhatAProgramPays(t *testing.T) {
	mod := module(t)
	program := filepath.Join(t.TempDir(), "main.go")
	source := "package main\n\nimport (\n\t_ \"" + mod + "/client\"\n\t_ \"" + mod + "/strategies\"\n)\n\nfunc main() {}\n"
	require.NoError(t, os.WriteFile(program, []byte(source), 0o600))
	deps, err := goList("-deps", program)
	require.NoError(t, err)
	var modules []string
	for _, p := range deps {
		if p.Module != nil && p.Module.Path != mod && !slices.Contains(modules, p.Module.Path) {
			modules = append(modules, p.Module.Path)
		}
	}
	assert.ElementsMatch(t, []string{
		"github.com/emmansun/base64",
		"github.com/goccy/go-json",
		"github.com/hashicorp/go-cleanhttp",
		"github.com/hashicorp/go-retryablehttp",
		"github.com/sony/gobreaker/v2",
		"golang.org/x/sys", // of base64: which instructions the machine has
	}, modules)
}

// TestImportsNamedPackagesAreUsed holds the four packages that this module
// promises to build on: required directly, and imported where it counts.
func TestImportsNamedPackagesAreUsed(t *testing.T) {
	mod := module(t)
	tests := []struct {
		path   string
		folder string // "" is any folder
		inTest bool
	}{
		{path: "github.com/hashicorp/go-retryablehttp", folder: "client"},
		{path: "github.com/goccy/go-json", folder: "internal/json"},
		{path: "github.com/stretchr/testify", inTest: true},
		{path: "github.com/jarcoal/httpmock", inTest: true},
	}
	direct := directRequirements(t)
	for _, tt := range tests {
		assert.Contains(t, direct, tt.path, "go.mod must require it without // indirect")
		used := slices.ContainsFunc(packages(t), func(p listed) bool {
			imports := p.Imports
			if tt.inTest {
				imports = slices.Concat(p.TestImports, p.XTestImports)
			}
			return (tt.folder == "" || p.folder(mod) == tt.folder) && slices.ContainsFunc(imports, func(path string) bool {
				return path == tt.path || strings.HasPrefix(path, tt.path+"/")
			})
		})
		assert.Truef(t, used, "%s is not imported (folder %q, in tests: %t)", tt.path, tt.folder, tt.inTest)
	}
}

func directRequirements(t *testing.T) []string {
	t.Helper()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	var direct []string
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) == 2 && strings.HasPrefix(fields[1], "v") {
			direct = append(direct, fields[0])
		}
	}
	return direct
}
