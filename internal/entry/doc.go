// Package entry reads and writes what a cache stores under one Redis key: a
// header line and a body. docs/entry-format.md is the description.
package entry
