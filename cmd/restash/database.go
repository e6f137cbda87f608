package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite", without cgo

	"github.com/cldcde/restash/examples/catalog"
)

// databaseVariable names the catalogue's database.
const databaseVariable = "DATABASE_URL"

// maxConns is how many connections one process opens to the database.
const maxConns = 8

var errDatabaseURL = errors.New(databaseVariable + " must be a postgres://, sqlite: or file: address")

// openDatabase opens the database that address names and reaches it once. No
// error repeats the address: it may hold a password.
func openDatabase(ctx context.Context, address string) (*sql.DB, catalog.Dialect, error) {
	driver, source, dialect := "pgx", address, catalog.Postgres
	scheme, rest, found := strings.Cut(address, ":")
	switch {
	case !found:
		return nil, "", errDatabaseURL
	case scheme == "postgres" || scheme == "postgresql":
	case (scheme == "sqlite" || scheme == "file") && strings.TrimLeft(rest, "/") != "":
		driver, source, dialect = "sqlite", sqliteSource(rest), catalog.SQLite
	default:
		return nil, "", errDatabaseURL
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, "", fmt.Errorf("%s is not a URL of a %s database", databaseVariable, dialect)
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns) // SQLite's connections are dear to open again
	if err := db.PingContext(ctx); err != nil {
		return nil, "", errors.Join(fmt.Errorf("the database of %s does not answer: %w", databaseVariable, err), db.Close())
	}
	return db, dialect, nil
}

// existing refuses the address of a SQLite file that is not there, which would
// be made, empty.
func existing(address string) error {
	scheme, rest, _ := strings.Cut(address, ":")
	if scheme != "sqlite" && scheme != "file" {
		return nil
	}
	path, _, _ := strings.Cut(rest, "?")
	if _, err := os.Stat(strings.TrimPrefix(path, "//")); err != nil {
		return fmt.Errorf("the database of %s: %w", databaseVariable, err)
	}
	return nil
}

// sqliteSource turns what follows "sqlite:" into the driver's form. A write-ahead
// log and a busy timeout let dev and warm use one file at a time.
func sqliteSource(rest string) string {
	path, _, _ := strings.Cut(rest, "?")
	path = strings.TrimPrefix(path, "//") // sqlite:///abs and sqlite:/abs are one
	options := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String()
}

// temporaryDatabase names a SQLite database in a new folder. It is a file and
// not memory, so that a second process can warm from it.
func temporaryDatabase() (address string, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "restash-dev-")
	if err != nil {
		return "", nil, fmt.Errorf("a folder for the sample database: %w", err)
	}
	return "sqlite:" + filepath.Join(dir, "catalog.db"), func() error { return os.RemoveAll(dir) }, nil
}
