package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

const itemColumns = `id, name, version, description, author, category, platform,
	downloads, rating, votes, published_at, updated_at, sample`

// List returns one page of items and the number of all that match.
func (d *Database) List(ctx context.Context, kind Kind, q ListQuery) ([]Item, Pagination, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return nil, Pagination{}, err
	}
	where, args := d.filter(kind, q)
	var total int64
	count := db.QueryRowContext(ctx, d.rebind(`SELECT COUNT(*) FROM items WHERE `+where), args...)
	if err := count.Scan(&total); err != nil {
		return nil, Pagination{}, fmt.Errorf("catalog: count items: %w", err)
	}
	page := paginate(q, total)
	if q.Page > 1 && int64(q.Page) > page.TotalPages {
		return []Item{}, page, nil
	}
	args = append(args, q.Limit, (q.Page-1)*q.Limit)
	query := `SELECT ` + itemColumns + ` FROM items WHERE ` + where +
		` ORDER BY ` + d.order(q.Sort) + ` LIMIT ? OFFSET ?`
	items, err := d.items(ctx, db, query, args...)
	return items, page, err
}

func (d *Database) filter(kind Kind, q ListQuery) (where string, args []any) {
	conditions, args := []string{"kind = ?"}, []any{string(kind)}
	add := func(condition string, value string) {
		if value != "" {
			conditions, args = append(conditions, condition), append(args, value)
		}
	}
	add("category = ?", q.Category)
	add("platform = ?", q.Platform)
	add("author = ?", q.Author)
	for word := range strings.FieldsSeq(strings.ToLower(q.Search)) {
		add(`search LIKE ? ESCAPE '!'`, "%"+escapeLike(word)+"%")
	}
	return strings.Join(conditions, " AND "), args
}

// escapeLike takes the meaning from a user's % and _.
func escapeLike(word string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(word)
}

// order is chosen from constants: nothing a user sends becomes SQL.
func (d *Database) order(sort Sort) string {
	id := d.byteOrder("id")
	switch sort {
	case ByRating:
		return "rating DESC, votes DESC, " + id
	case Recent:
		return "published_at DESC, " + id
	default:
		return "downloads DESC, " + id
	}
}

func (d *Database) items(ctx context.Context, db *sql.DB, query string, args ...any) ([]Item, error) {
	rows, err := db.QueryContext(ctx, d.rebind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("catalog: query items: %w", err)
	}
	defer rows.Close()
	items := []Item{}
	for rows.Next() {
		item, err := scanItem(rows)
		if err != nil {
			return nil, fmt.Errorf("catalog: read an item: %w", err)
		}
		items = append(items, item)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("catalog: query items: %w", err)
	}
	return items, nil
}

func scanItem(row interface{ Scan(...any) error }) (Item, error) {
	var item Item
	var published, updated int64
	err := row.Scan(&item.ID, &item.Name, &item.Version, &item.Description, &item.Author, &item.Category,
		&item.Platform, &item.Downloads, &item.Rating, &item.Votes, &published, &updated, &item.Sample)
	if err != nil {
		return Item{}, err
	}
	item.Rating = cents(item.Rating)
	item.PublishedAt, item.UpdatedAt = fromMillis(published), fromMillis(updated)
	return item, nil
}

// Item returns one item, or [ErrNotFound].
func (d *Database) Item(ctx context.Context, kind Kind, id string) (Item, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return Item{}, err
	}
	query := d.rebind(`SELECT ` + itemColumns + ` FROM items WHERE kind = ? AND id = ?`)
	return oneItem(db.QueryRowContext(ctx, query, string(kind), id), kind, id)
}

func oneItem(row *sql.Row, kind Kind, id string) (Item, error) {
	item, err := scanItem(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, fmt.Errorf("%s %q: %w", kind, id, ErrNotFound)
	}
	if err != nil {
		return Item{}, fmt.Errorf("catalog: %s %q: %w", kind, id, err)
	}
	return item, nil
}

// Items returns those of the named items that exist, by id, with one query.
func (d *Database) Items(ctx context.Context, kind Kind, ids []string) (map[string]Item, error) {
	found := make(map[string]Item, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	db, err := d.conn(ctx)
	if err != nil {
		return nil, err
	}
	args := []any{string(kind)}
	for _, id := range ids {
		args = append(args, id)
	}
	query := `SELECT ` + itemColumns + ` FROM items WHERE kind = ? AND id IN (` + repeat("?", len(ids)) + `)`
	items, err := d.items(ctx, db, query, args...)
	for _, item := range items {
		found[item.ID] = item
	}
	return found, err
}

// Create stores a new item, and its author's profile if there is none yet. It
// returns [ErrExists] if the id is taken.
func (d *Database) Create(ctx context.Context, kind Kind, item Item) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		added, err := d.insertItems(ctx, tx, []record{{kind: kind, item: item}})
		if err == nil && added == 0 {
			return ErrExists
		}
		if err != nil || item.Author == "" {
			return err
		}
		return d.insertUsers(ctx, tx, []User{{Name: item.Author, DisplayName: item.Author, JoinedAt: item.PublishedAt}})
	})
	if err != nil {
		return fmt.Errorf("catalog: create %s %q: %w", kind, item.ID, err)
	}
	return nil
}

// insertItems returns how many were new; those that exist are left as they are.
func (d *Database) insertItems(ctx context.Context, tx *sql.Tx, records []record) (int64, error) {
	const row = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	var args []any
	for _, rec := range records {
		item := rec.item
		args = append(args, string(rec.kind), item.ID, item.Name, item.Version, item.Description, item.Author,
			item.Category, item.Platform, searchText(item), item.Downloads, rec.votesSum, item.Votes, item.Rating,
			item.PublishedAt.UnixMilli(), item.UpdatedAt.UnixMilli(), item.Sample)
	}
	result, err := tx.ExecContext(ctx, d.rebind(`INSERT INTO items (kind, id, name, version, description, author,
		category, platform, search, downloads, votes_sum, votes, rating, published_at, updated_at, sample)
		VALUES `+repeat(row, len(records))+` ON CONFLICT DO NOTHING`), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// searchText is lower case here, not in SQL: SQLite's lower knows ASCII only.
func searchText(item Item) string {
	return strings.ToLower(item.Name + " " + item.Author + " " + item.Description)
}

// Update changes an item and returns the old and the new one. It returns
// [ErrNotFound], or [ErrConflict] if others change the item all the time.
func (d *Database) Update(ctx context.Context, kind Kind, id string, c Changes, now time.Time) (before, after Item, err error) {
	for range 3 {
		before, err = d.Item(ctx, kind, id)
		if err != nil {
			return Item{}, Item{}, err
		}
		after = c.apply(before, now)
		saved, err := d.replace(ctx, kind, before, after)
		if saved || err != nil {
			return before, after, err
		}
	}
	return Item{}, Item{}, fmt.Errorf("%s %q: %w", kind, id, ErrConflict)
}

// replace saves after unless somebody changed the item since before was read.
func (d *Database) replace(ctx context.Context, kind Kind, before, after Item) (bool, error) {
	n, err := d.exec(ctx, `UPDATE items SET version = ?, description = ?, category = ?,
		platform = ?, search = ?, updated_at = ? WHERE kind = ? AND id = ? AND updated_at = ?`,
		after.Version, after.Description, after.Category, after.Platform, searchText(after),
		after.UpdatedAt.UnixMilli(), string(kind), after.ID, before.UpdatedAt.UnixMilli())
	if err != nil {
		return false, fmt.Errorf("catalog: update %s %q: %w", kind, after.ID, err)
	}
	return n > 0, nil
}

// Rate adds a vote of 1 to 5 stars and returns the changed item, or [ErrNotFound].
func (d *Database) Rate(ctx context.Context, kind Kind, id string, stars int) (Item, error) {
	return d.change(ctx, kind, id, `votes_sum = votes_sum + ?, votes = votes + 1,
		rating = CAST(votes_sum + ? AS DOUBLE PRECISION) / (votes + 1)`, stars, stars)
}

// Download counts a download and returns the changed item, or [ErrNotFound].
func (d *Database) Download(ctx context.Context, kind Kind, id string) (Item, error) {
	return d.change(ctx, kind, id, `downloads = downloads + 1`)
}

func (d *Database) change(ctx context.Context, kind Kind, id, set string, args ...any) (item Item, err error) {
	query := d.rebind(`UPDATE items SET ` + set + ` WHERE kind = ? AND id = ? RETURNING ` + itemColumns)
	err = d.write(ctx, func(tx *sql.Tx) error {
		item, err = oneItem(tx.QueryRowContext(ctx, query, append(args, string(kind), id)...), kind, id)
		return err
	})
	if err != nil {
		return Item{}, err
	}
	return item, nil
}

// TopItems returns the ids of the first n items in the given order.
func (d *Database) TopItems(ctx context.Context, kind Kind, sort Sort, n int) ([]string, error) {
	return d.names(ctx, `SELECT id FROM items WHERE kind = ? ORDER BY `+d.order(sort)+` LIMIT ?`, string(kind), n)
}
