package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

const deadDatabase = "postgres://someone:secret@127.0.0.1:1/nothing?connect_timeout=1"

// environment sets all that FromEnv reads.
func environment(t *testing.T, server *upstashtest.Server, database string) {
	t.Helper()
	for name, value := range map[string]string{
		"UPSTASH_REDIS_REST_URL": server.URL, "UPSTASH_REDIS_REST_TOKEN": server.Token, "DATABASE_URL": database,
		"POSTGRES_URL": "", "CATALOG_WRITE_TOKEN": "write", "CRON_SECRET": "", "CACHE_PURGE_SECRET": "", "RESTASH_DISABLE": "",
	} {
		t.Setenv(name, value)
	}
}

func fromEnv(t *testing.T) *platform {
	t.Helper()
	app, err := catalog.FromEnv("pgx", strategies.StoreConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(context.Background())) })
	return &platform{t: t, store: app.Store(), app: app}
}

// A new instance makes its own schema, and one whose database is away still
// answers what others have cached.
func TestFromEnvServesTheCacheWhileTheDatabaseIsAway(t *testing.T) {
	server := upstashtest.Run(t)
	environment(t, server, schemaOfPostgres(t))
	p := fromEnv(t)
	first := p.get("/api/extensions")
	p.get("/api/users/openai")
	assert.Equal(t, 403, p.do("POST", "/api/mcp/fastmcp/download", "").Code)
	assert.Equal(t, 200, p.do("POST", "/api/mcp/fastmcp/download", "", "Authorization", "Bearer write").Code)
	require.NoError(t, p.store.Flush(t.Context())) // a miss is stored behind its answer

	t.Setenv("DATABASE_URL", deadDatabase)
	p = fromEnv(t)
	again := p.get("/api/extensions")
	assert.Equal(t, "HIT", again.cache())
	assert.Equal(t, first.Body.String(), again.Body.String())
	assert.Equal(t, "HIT", p.get("/api/users/openai").cache())
	got := p.do("GET", "/api/mcp", "")
	assert.Equal(t, 503, got.Code)
	code, message := got.problem()
	assert.Equal(t, "unavailable", code)
	assert.Equal(t, "the catalogue cannot be read or written now", message, "nothing of the inside is told")
}

func TestFromEnvErrorsNameTheVariableAndNoSecret(t *testing.T) {
	server := upstashtest.Run(t)
	environment(t, server, "mysql://someone:secret@host/db")
	_, err := catalog.FromEnv("pgx", strategies.StoreConfig{})
	require.ErrorContains(t, err, "DATABASE_URL or POSTGRES_URL")
	assert.NotContains(t, err.Error(), "secret")
	t.Setenv("DATABASE_URL", deadDatabase)
	_, err = catalog.FromEnv("no-such-driver", strategies.StoreConfig{})
	require.ErrorContains(t, err, "no-such-driver")
	assert.NotContains(t, err.Error(), "secret")
	t.Setenv("UPSTASH_REDIS_REST_TOKEN", "")
	_, err = catalog.FromEnv("pgx", strategies.StoreConfig{})
	require.ErrorContains(t, err, "UPSTASH_REDIS_REST_TOKEN")
}

func TestFromEnvClosesWhatItOpened(t *testing.T) {
	server := upstashtest.Run(t)
	environment(t, server, deadDatabase)
	app, err := catalog.FromEnv("pgx", strategies.StoreConfig{})
	require.NoError(t, err)
	require.NoError(t, app.Close(t.Context()))
	bill := server.ExpectBill(t, 0, 0)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("GET", "/api/extensions", nil))
	bill()
	assert.Equal(t, 503, w.Code, "neither the cache nor the database is asked again")
}

func TestLazyTriesAgainUntilTheAppIsThere(t *testing.T) {
	p := newPlatform(t)
	tries := 0
	h := catalog.Lazy(func() (*catalog.App, error) {
		switch tries++; tries {
		case 1:
			return nil, errors.New("no settings")
		case 2:
			panic("wrong settings")
		}
		return p.app, nil
	})
	for _, want := range []int{503, 503, 200, 200} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/api/categories", nil))
		assert.Equal(t, want, w.Code)
		assert.NotContains(t, w.Body.String(), "settings")
	}
	assert.Equal(t, 3, tries, "then it stays")
}

// Requests land on many instances: the metrics of one say little.
func TestFleetMetricsAreSwitchedOnByTheEnvironment(t *testing.T) {
	server := upstashtest.Run(t)
	for value, scope := range map[string]string{"1": "fleet", "": "instance", "maybe": "instance"} {
		environment(t, server, deadDatabase)
		t.Setenv("CATALOG_FLEET_METRICS", value)
		var told struct{ Scope string }
		fromEnv(t).get("/api/cache/metrics").json(&told)
		assert.Equal(t, scope, told.Scope, "%q", value)
	}
}

// deployedEnv is what vercel.json sets for the functions.
func deployedEnv(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../vercel.json")
	require.NoError(t, err)
	var config struct{ Env map[string]string }
	require.NoError(t, json.Unmarshal(text, &config))
	return config.Env
}

// Vercel sends requests to any of many instances, and each is gone soon.
func TestFleetMetricsAreOnWhereTheSampleIsDeployed(t *testing.T) {
	environment(t, upstashtest.Run(t), deadDatabase)
	t.Setenv("CATALOG_FLEET_METRICS", "")
	t.Setenv("VERCEL_ENV", "preview")
	t.Setenv("VERCEL_GIT_COMMIT_REF", "new-page")
	for name, value := range deployedEnv(t) {
		t.Setenv(name, value)
	}
	var told struct{ Scope, Namespace string }
	fromEnv(t).get("/api/cache/metrics").json(&told)
	assert.Equal(t, "fleet", told.Scope)
	assert.Equal(t, "restash-preview-new-page", told.Namespace)
}
