package catalog_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of production
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver of development

	"github.com/cldcde/restash/examples/catalog"
)

// databases are the kinds of SQL on which every store test runs.
var databases = map[string]func(t testing.TB) *catalog.Database{
	"sqlite":   emptySQLite,
	"postgres": emptyPostgres,
}

// onEach runs a test on an empty, migrated database of each kind.
func onEach(t *testing.T, test func(t *testing.T, db *catalog.Database)) {
	t.Helper()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			require.NoError(t, db.Migrate(t.Context()))
			test(t, db)
		})
	}
}

func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	return openSQLiteFile(t, t.TempDir()+"/catalog.db")
}

func openSQLiteFile(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func emptySQLite(t testing.TB) *catalog.Database {
	t.Helper()
	db, err := catalog.NewDatabase(openSQLite(t), catalog.SQLite)
	require.NoError(t, err)
	return db
}

// emptyPostgres gives each test a schema of its own in the database named by
// RESTASH_TEST_POSTGRES. Where RESTASH_REQUIRE asks for postgres its absence is
// a failure.
func emptyPostgres(t testing.TB) *catalog.Database {
	t.Helper()
	db, err := catalog.NewDatabase(openPostgres(t), catalog.Postgres)
	require.NoError(t, err)
	return db
}

func openPostgres(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", schemaOfPostgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// schemaOfPostgres returns the URL of an empty schema that is dropped after the test.
func schemaOfPostgres(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv("RESTASH_TEST_POSTGRES")
	if dsn == "" {
		if strings.Contains(os.Getenv("RESTASH_REQUIRE"), "postgres") {
			t.Fatal("RESTASH_REQUIRE asks for postgres but RESTASH_TEST_POSTGRES is not set")
		}
		t.Skip("set RESTASH_TEST_POSTGRES to run this on PostgreSQL")
	}
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), time.Now().UnixNano())
	admin, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	_, err = admin.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE")
		assert.NoError(t, err)
		_ = admin.Close()
	})
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "search_path=" + schema
}
