// Package catalog is the sample platform: a catalogue of editor extensions and
// MCP servers with search, ratings, downloads and user pages, served from SQL
// behind the cache.
//
// It is written as a user of this module would write it, with the public API
// only. Read it in this order:
//
//   - presets.go: one table of routes with their lifetimes, tags and parameters
//   - actions.go: one table of what each change makes invalid
//   - routes.go, read.go, write.go: the HTTP handlers
//   - profile.go, featured.go: the two routes that use a typed handle directly
//   - warm.go: what is loaded before anybody asks
//   - items.go, users.go, summary.go: the SQL, the same for SQLite and PostgreSQL
//
// Names, versions, authors and download numbers in data/catalog.tsv are those of
// real npm packages. Publication dates, votes and user profiles are not known
// and are made up from the item's id, the same on every machine; such rows are
// marked as sample data in the database and in every answer ("sample": true).
//
// The package may import every public package of this module but none under
// internal, and database/sql but no driver: the program that uses it chooses one.
package catalog
