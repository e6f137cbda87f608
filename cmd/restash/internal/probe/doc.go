// Package probe asks a database that speaks Upstash's REST protocol some
// hundred small questions and compares the answers with the documentation.
//
// The list is exchanges.txt, whose head explains how it is written. Keys have a
// prefix of their own and are removed afterwards.
package probe
