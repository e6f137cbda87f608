package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Categories counts the items of every category, also of empty ones, in
// alphabetical order.
func (d *Database) Categories(ctx context.Context) ([]Category, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT category, kind, COUNT(*) FROM items GROUP BY category, kind`)
	if err != nil {
		return nil, fmt.Errorf("catalog: count categories: %w", err)
	}
	defer rows.Close()
	counts := map[string]*Category{}
	for rows.Next() {
		var name, kind string
		var n int64
		if err := rows.Scan(&name, &kind, &n); err != nil {
			return nil, fmt.Errorf("catalog: read a category: %w", err)
		}
		addCount(counts, name, Kind(kind), n)
	}
	list := make([]Category, 0, len(categories))
	for _, name := range categories {
		addCount(counts, name, Extension, 0)
		list = append(list, *counts[name])
	}
	return list, rows.Err()
}

func addCount(counts map[string]*Category, name string, kind Kind, n int64) {
	if counts[name] == nil {
		counts[name] = &Category{Name: name}
	}
	counts[name].Total += n
	if kind == Extension {
		counts[name].Extensions += n
	} else {
		counts[name].MCPServers += n
	}
}

// sums are what both kinds of statistics are made of.
const sums = `COUNT(CASE WHEN kind = 'extension' THEN 1 END), COUNT(CASE WHEN kind = 'mcp' THEN 1 END),
	CAST(COALESCE(SUM(downloads), 0) AS BIGINT), CAST(COALESCE(SUM(votes_sum), 0) AS BIGINT),
	CAST(COALESCE(SUM(votes), 0) AS BIGINT)`

// Stats sums up the whole catalogue.
func (d *Database) Stats(ctx context.Context) (Stats, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return Stats{}, err
	}
	var s Stats
	var votesSum int64
	row := db.QueryRowContext(ctx, `SELECT `+sums+`, COUNT(DISTINCT category),
		(SELECT COUNT(*) FROM users) FROM items`)
	err = row.Scan(&s.Extensions, &s.MCPServers, &s.Downloads, &votesSum, &s.Votes, &s.Categories, &s.Users)
	if err != nil {
		return Stats{}, fmt.Errorf("catalog: statistics: %w", err)
	}
	s.Rating = mean(votesSum, s.Votes)
	return s, nil
}

// UserStats sums up what a user has published. It returns [ErrNotFound] if there
// is no such user.
func (d *Database) UserStats(ctx context.Context, name string) (UserSummary, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return UserSummary{}, err
	}
	s := UserSummary{User: name}
	var votesSum int64
	row := db.QueryRowContext(ctx, d.rebind(`SELECT users.display_name, `+sums+` FROM users LEFT JOIN items ON items.author = users.name
		WHERE users.name = ? GROUP BY users.name`), name)
	err = row.Scan(&s.DisplayName, &s.Extensions, &s.MCPServers, &s.Downloads, &votesSum, &s.Votes)
	if errors.Is(err, sql.ErrNoRows) {
		return UserSummary{}, fmt.Errorf("user %q: %w", name, ErrNotFound)
	}
	if err != nil {
		return UserSummary{}, fmt.Errorf("catalog: statistics of user %q: %w", name, err)
	}
	s.Rating = mean(votesSum, s.Votes)
	return s, nil
}
