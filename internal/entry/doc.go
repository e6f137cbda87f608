// Package entry reads and writes what a cache stores under one Redis key: a
// header line and a body. FORMAT.md beside it is the description.
package entry
