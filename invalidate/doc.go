// Package invalidate says what cached values are no longer true: those with a
// tag, of a key, below a prefix, all of them, or those whose keys match a
// pattern.
//
// A [Target] is a value without a connection; a strategies.Store carries it
// out. Tags, keys, prefixes and all cost one Redis command each, however many
// entries they hit, and reach loads that are under way. Patterns scan the
// database: they cost a command per step and per batch, and cannot see what is
// being loaded at that moment.
package invalidate
