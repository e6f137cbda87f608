// Package json is the one place where this module meets its JSON library.
//
// Everything that belongs to users, cached values above all, is encoded and
// decoded here; the wire protocol is not, the client writes and scans that by
// hand. It imports no other package of this module.
package json
