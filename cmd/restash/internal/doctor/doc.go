// Package doctor examines a database and the caches in it: one finding a check,
// with the next step where something is wrong.
package doctor
