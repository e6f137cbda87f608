package catalog

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Dialect is the kind of SQL that a database speaks.
type Dialect string

// The dialects. Any driver of database/sql for them will do.
const (
	SQLite   Dialect = "sqlite3"
	Postgres Dialect = "postgres"
)

// Database is the catalogue's SQL. It is safe for concurrent use. The caller
// keeps and closes the [sql.DB].
type Database struct {
	db      *sql.DB
	dialect Dialect

	prepare  func(context.Context) error // nil if the schema is the caller's business
	prepared atomic.Bool                 // the schema is known to be there
	gate     chan struct{}               // held by who prepares
}

// NewDatabase wraps db and touches no network. The schema must exist; see
// [Database.Migrate], [Database.Seed] and [Database.PrepareOnUse].
func NewDatabase(db *sql.DB, dialect Dialect) (*Database, error) {
	if db == nil {
		return nil, errors.New("catalog: DB must be set")
	}
	if dialect != SQLite && dialect != Postgres {
		return nil, fmt.Errorf("catalog: Dialect %q is neither %q nor %q", dialect, SQLite, Postgres)
	}
	return &Database{db: db, dialect: dialect}, nil
}

// PrepareOnUse makes the first query migrate and seed the database. A function
// that starts while its database is away can so still answer from the cache; a
// failure is the query's error, and the next query tries again. Call it before
// the database is used.
func (d *Database) PrepareOnUse() {
	d.gate = make(chan struct{}, 1)
	d.prepare = func(ctx context.Context) error {
		if err := d.Migrate(ctx); err != nil {
			return err
		}
		_, err := d.Seed(ctx)
		return err
	}
}

// conn returns the pool once the schema is there. Who must wait for another's
// preparation waits as long as its own request allows.
func (d *Database) conn(ctx context.Context) (*sql.DB, error) {
	if d.prepare == nil || d.prepared.Load() {
		return d.db, nil
	}
	select {
	case d.gate <- struct{}{}:
		defer func() { <-d.gate }()
	case <-ctx.Done():
		return nil, fmt.Errorf("catalog: prepare the database: %w", context.Cause(ctx))
	}
	if d.prepared.Load() {
		return d.db, nil
	}
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	d.prepared.Store(true)
	return d.db, nil
}

// Migrate brings the schema up to date. On PostgreSQL a lock keeps instances
// that start together from doing it twice.
func (d *Database) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("catalog: migrations: %w", err)
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d.dialect == Postgres {
		// A row in a table with a lease, not an advisory lock: many databases sit
		// behind a pooler that gives each statement another session.
		locker, err := lock.NewPostgresTableLocker(
			lock.WithTableLeaseDuration(20*time.Second), lock.WithTableHeartbeatInterval(5*time.Second),
			lock.WithTableLockTimeout(500*time.Millisecond, 60), lock.WithTableLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return fmt.Errorf("catalog: migration lock: %w", err)
		}
		options = append(options, goose.WithLocker(locker))
	}
	provider, err := goose.NewProvider(goose.Dialect(d.dialect), d.db, files, options...)
	if err != nil {
		return fmt.Errorf("catalog: migrations: %w", err)
	}
	if pending, err := provider.HasPending(ctx); err == nil && !pending {
		return nil // the usual start: no lock is taken
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("catalog: migrate: %w", err)
	}
	return nil
}

// write runs change in a transaction. An error that is not [ErrUnclear] says
// that nothing was changed.
func (d *Database) write(ctx context.Context, change func(tx *sql.Tx) error) error {
	db, err := d.conn(ctx)
	if err != nil {
		return err
	}
	return commit(ctx, db, change)
}

func commit(ctx context.Context, db *sql.DB, change func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it only says that it is done
	if err := change(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(ErrUnclear, err)
	}
	return nil
}

// exec runs one changing statement and returns how many rows it changed.
func (d *Database) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = d.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, d.rebind(query), args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// rebind writes the marks ? of our queries as $1, $2 where PostgreSQL
// wants them. No query of ours has a ? for another reason.
func (d *Database) rebind(query string) string {
	if d.dialect != Postgres {
		return query
	}
	var out strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// repeat writes the same marks n times, with commas between.
func repeat(marks string, n int) string {
	return strings.TrimSuffix(strings.Repeat(marks+", ", n), ", ")
}

// byteOrder makes PostgreSQL sort text as SQLite does, whatever its locale.
func (d *Database) byteOrder(column string) string {
	if d.dialect == Postgres {
		return column + ` COLLATE "C"`
	}
	return column
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// cents rounds to two decimals.
func cents(x float64) float64 { return math.Round(x*100) / 100 }

func mean(sum, n int64) float64 {
	if n == 0 {
		return 0
	}
	return cents(float64(sum) / float64(n))
}
