package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Seed stores the embedded items and their authors unless they are there, and
// returns how many items were new. What users changed is left alone.
func (d *Database) Seed(ctx context.Context) (int, error) {
	records, err := sampleRecords()
	if err != nil {
		return 0, err
	}
	var have int
	err = d.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM items WHERE sample`).Scan(&have)
	if err != nil {
		return 0, fmt.Errorf("catalog: count sample items: %w", err)
	}
	if have >= len(records) {
		return 0, nil
	}
	return d.insertSample(ctx, records)
}

func (d *Database) insertSample(ctx context.Context, records []record) (int, error) {
	added := int64(0)
	err := commit(ctx, d.db, func(tx *sql.Tx) error {
		for batch := range slices.Chunk(records, 100) { // some databases are a network away
			n, err := d.insertItems(ctx, tx, batch)
			if err != nil {
				return err
			}
			added += n
		}
		for batch := range slices.Chunk(sampleUsers(records), 100) {
			if err := d.insertUsers(ctx, tx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("catalog: seed: %w", err)
	}
	return int(added), nil
}
