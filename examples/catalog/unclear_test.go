package catalog_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/upstashtest"
)

// losesCommits is SQLite behind a connection that breaks just after a commit:
// the change is there, and nobody was told.
type losesCommits struct {
	sqlite driver.Driver
	dsn    string
	broken atomic.Bool
}

func (d *losesCommits) Connect(context.Context) (driver.Conn, error) {
	conn, err := d.sqlite.Open(d.dsn)
	return lossyConn{conn, d}, err
}

func (d *losesCommits) Driver() driver.Driver { return d.sqlite }

type lossyConn struct {
	driver.Conn
	d *losesCommits
}

func (c lossyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return lossyTx{tx, c.d}, err
}

type lossyTx struct {
	driver.Tx
	d *losesCommits
}

func (t lossyTx) Commit() error {
	err := t.Tx.Commit()
	if t.d.broken.Load() {
		return errors.Join(errors.New("connection reset"), err)
	}
	return err
}

func TestWritesWhoseOutcomeIsUnclearLeaveNothingOldInTheCache(t *testing.T) {
	plain := openSQLite(t)
	d := &losesCommits{sqlite: plain.Driver(), dsn: "file:" + t.TempDir() + "/lossy.db?_pragma=busy_timeout(5000)"}
	pool := sql.OpenDB(d)
	pool.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = pool.Close() })
	db, err := catalog.NewDatabase(pool, catalog.SQLite)
	require.NoError(t, err)
	require.NoError(t, db.Migrate(t.Context()))
	_, err = db.Seed(t.Context())
	require.NoError(t, err)
	p := instance(t, upstashtest.Run(t), db)

	for _, row := range actionRows {
		for range 2 {
			for _, target := range row.missed {
				p.get(target)
			}
		}
		d.broken.Store(true)
		got := p.do(row.method, row.path, row.body)
		d.broken.Store(false)
		assert.Equal(t, 503, got.Code, "%s: %s", row.name, got.Body)
		for _, target := range row.missed {
			assert.Equal(t, "MISS", p.get(target).cache(), "%s: %s", row.name, target)
		}
	}
	assert.Contains(t, p.get("/api/users/openai").Body.String(), `"displayName":"Open"`)
}
