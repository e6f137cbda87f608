// Package engine is the in-memory Redis behind upstashtest: miniredis for the
// commands that it has, and overlay commands for those that it lacks or
// answers differently. One lock orders everything; a transaction is checked
// whole before its first command runs.
//
// It may import client/command, miniredis, ojg and gopher-lua (the Lua that
// miniredis itself runs on).
package engine
