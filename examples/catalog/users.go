package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const userColumns = `name, display_name, bio, website, joined_at, last_login_at, version, sample`

// User returns a profile, or [ErrNotFound].
func (d *Database) User(ctx context.Context, name string) (User, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return User{}, err
	}
	row := db.QueryRowContext(ctx, d.rebind(`SELECT `+userColumns+` FROM users WHERE name = ?`), name)
	user, err := scanUser(row)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, fmt.Errorf("user %q: %w", name, ErrNotFound)
	}
	if err != nil {
		return User{}, fmt.Errorf("catalog: user %q: %w", name, err)
	}
	return user, nil
}

// Users returns those of the named users that exist, by name, with one query.
func (d *Database) Users(ctx context.Context, names []string) (map[string]User, error) {
	found := make(map[string]User, len(names))
	if len(names) == 0 {
		return found, nil
	}
	db, err := d.conn(ctx)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	query := `SELECT ` + userColumns + ` FROM users WHERE name IN (` + repeat("?", len(names)) + `)`
	rows, err := db.QueryContext(ctx, d.rebind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("catalog: query users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		user, err := scanUser(rows)
		if err != nil {
			return nil, fmt.Errorf("catalog: read a user: %w", err)
		}
		found[user.Name] = user
	}
	return found, rows.Err()
}

func scanUser(row interface{ Scan(...any) error }) (User, error) {
	var user User
	var joined int64
	var login sql.NullInt64
	err := row.Scan(&user.Name, &user.DisplayName, &user.Bio, &user.Website, &joined, &login, &user.Version, &user.Sample)
	if err != nil {
		return User{}, err
	}
	user.JoinedAt = fromMillis(joined)
	if login.Valid {
		at := fromMillis(login.Int64)
		user.LastLoginAt = &at
	}
	return user, nil
}

// SaveProfile stores what a user may change (display name, bio and website) and
// returns the profile as it is stored, at a new version: that is what may be
// cached. It returns [ErrConflict] if the stored profile is not at user.Version.
func (d *Database) SaveProfile(ctx context.Context, user User) (User, error) {
	n, err := d.exec(ctx, `UPDATE users SET display_name = ?, bio = ?, website = ?, version = version + 1
		WHERE name = ? AND version = ?`, user.DisplayName, user.Bio, user.Website, user.Name, user.Version)
	if err == nil && n == 0 {
		err = ErrConflict
	}
	if err != nil {
		return user, wrapUser(user.Name, err)
	}
	user.Version++
	return user, nil
}

// Login notes the time of a login. It returns [ErrNotFound] if there is no such user.
func (d *Database) Login(ctx context.Context, name string, now time.Time) error {
	n, err := d.exec(ctx, `UPDATE users SET last_login_at = ?, version = version + 1 WHERE name = ?`,
		now.UnixMilli(), name)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return wrapUser(name, err)
}

func wrapUser(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("catalog: change user %q: %w", name, err)
}

// insertUsers leaves profiles that exist as they are.
func (d *Database) insertUsers(ctx context.Context, tx *sql.Tx, users []User) error {
	var args []any
	for _, u := range users {
		args = append(args, u.Name, u.DisplayName, u.Bio, u.Website, u.JoinedAt.UnixMilli(), 1, u.Sample)
	}
	_, err := tx.ExecContext(ctx, d.rebind(`INSERT INTO users (name, display_name, bio, website, joined_at, version, sample)
		VALUES `+repeat(`(?, ?, ?, ?, ?, ?, ?)`, len(users))+` ON CONFLICT DO NOTHING`), args...)
	return err
}

// TopUsers returns the names of the users whose items have the most downloads.
func (d *Database) TopUsers(ctx context.Context, n int) ([]string, error) {
	return d.names(ctx, `SELECT author FROM items WHERE author <> '' GROUP BY author
		ORDER BY SUM(downloads) DESC, `+d.byteOrder("author")+` LIMIT ?`, n)
}

func (d *Database) names(ctx context.Context, query string, args ...any) ([]string, error) {
	db, err := d.conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, d.rebind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("catalog: query names: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("catalog: read a name: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
