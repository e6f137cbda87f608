package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

func TestOpenDatabaseTwoProcessesShareAFile(t *testing.T) {
	dir := t.TempDir() // a path is taken as it is, not as an escaped URL
	first, dialect, err := openDatabase(t.Context(), "sqlite:"+dir+"/a b%.db")
	require.NoError(t, err)
	defer first.Close()
	assert.Equal(t, catalog.SQLite, dialect)
	_, err = first.Exec(`CREATE TABLE seen (n INTEGER)`)
	require.NoError(t, err)

	second, _, err := openDatabase(t.Context(), "file://"+dir+"/a b%.db")
	require.NoError(t, err)
	defer second.Close()
	var n int
	require.NoError(t, second.QueryRow(`SELECT COUNT(*) FROM seen`).Scan(&n))
	assert.Zero(t, n)
}

func TestOpenDatabaseBadAddressIsOneLineWithoutThePassword(t *testing.T) {
	for _, address := range []string{
		"", "catalog.db", "mysql://root:hunter2@localhost/x", "sqlite:", "file://", "postgres://u:hunter2@[::1",
		"postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1", "sqlite:/no/such/folder/x.db",
	} {
		_, _, err := openDatabase(t.Context(), address)
		require.Error(t, err, address)
		assert.Contains(t, err.Error(), "DATABASE_URL", address)
		assert.NotContains(t, err.Error(), "hunter2", address)
	}
}

func TestTemporaryDatabaseIsGoneAfterRemove(t *testing.T) {
	address, remove, err := temporaryDatabase()
	require.NoError(t, err)
	db, _, err := openDatabase(t.Context(), address)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, remove())
	_, _, err = openDatabase(t.Context(), address)
	assert.Error(t, err)
}
