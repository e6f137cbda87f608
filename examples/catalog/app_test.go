package catalog_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// platform is the whole sample in one process: REST server, Store, database, routes.
type platform struct {
	t      testing.TB
	server *upstashtest.Server
	store  *strategies.Store
	db     *catalog.Database
	app    *catalog.App
}

// newPlatform starts one with the sample data in SQLite. Everybody may write
// unless change says otherwise.
func newPlatform(t testing.TB, change ...func(*catalog.Config)) *platform {
	t.Helper()
	server := upstashtest.Run(t)
	return instance(t, server, seededSQLite(t), change...)
}

// template is a seeded database file, made once: seeding is most of a test's time.
var template = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "catalog")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	pool, err := sql.Open("sqlite", "file:"+folder+"/catalog.db")
	if err != nil {
		return nil, err
	}
	db, err := catalog.NewDatabase(pool, catalog.SQLite)
	if err != nil {
		return nil, err
	}
	db.PrepareOnUse()
	_, err = db.Stats(context.Background())
	if err := errors.Join(err, pool.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(folder + "/catalog.db")
})

func seededSQLite(t testing.TB) *catalog.Database {
	t.Helper()
	content, err := template()
	require.NoError(t, err)
	path := t.TempDir() + "/catalog.db"
	require.NoError(t, os.WriteFile(path, content, 0o600))
	db, err := catalog.NewDatabase(openSQLiteFile(t, path), catalog.SQLite)
	require.NoError(t, err)
	return db
}

// instance starts another process's worth of the platform on the same data.
func instance(t testing.TB, server *upstashtest.Server, db *catalog.Database, change ...func(*catalog.Config)) *platform {
	t.Helper()
	redis, err := client.New(client.Config{URL: server.URL, Token: server.Token})
	require.NoError(t, err)
	quiet := slog.New(slog.DiscardHandler)
	store, err := strategies.NewStore(redis, strategies.StoreConfig{Logger: quiet, Budget: 10 * time.Second, Executor: atOnce{}})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = store.Close(context.Background())
		_ = redis.Close()
	})
	config := catalog.Config{Database: db, Store: store, AllowWrites: true, Logger: quiet}
	for _, c := range change {
		c(&config)
	}
	app, err := catalog.New(config)
	require.NoError(t, err)
	return &platform{t: t, server: server, store: store, db: db, app: app}
}

// reply is what a request got.
type reply struct {
	*httptest.ResponseRecorder
	t testing.TB
}

func (r reply) cache() string { return r.Header().Get("X-Cache") }

func (r reply) json(into any) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal(r.Body.Bytes(), into), r.Body.String())
}

// problem returns the code and the message of a JSON error.
func (r reply) problem() (code, message string) {
	r.t.Helper()
	var body struct{ Code, Message string }
	r.json(&body)
	return body.Code, body.Message
}

func (p *platform) do(method, target, body string, header ...string) reply {
	p.t.Helper()
	r := httptest.NewRequestWithContext(p.t.Context(), method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.app.ServeHTTP(w, r)
	return reply{w, p.t}
}

// get asks for a page that must be there.
func (p *platform) get(target string, header ...string) reply {
	p.t.Helper()
	r := p.do(http.MethodGet, target, "", header...)
	require.Equal(p.t, http.StatusOK, r.Code, "%s: %s", target, r.Body)
	return r
}

type page struct {
	Extensions []catalog.Item
	McpServers []catalog.Item
	Pagination catalog.Pagination
}

func (p *platform) page(target string) (page, string) {
	p.t.Helper()
	r := p.get(target)
	var list page
	r.json(&list)
	return list, r.cache()
}

// disabled is a Store that always loads.
func disabled(t testing.TB) *strategies.Store {
	t.Helper()
	store, err := strategies.NewStore(nil, strategies.StoreConfig{Disabled: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	return store
}

// atOnce is an executor whose work is done when it was submitted: what a test
// finds in Redis behind an answer does not depend on the machine's speed.
type atOnce struct{}

func (atOnce) Submit(work func()) bool     { work(); return true }
func (atOnce) Wait() time.Duration         { return 0 }
func (atOnce) Flush(context.Context) error { return nil }
