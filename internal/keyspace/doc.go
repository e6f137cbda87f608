// Package keyspace lays out the Redis keys of a namespace: entries, and the
// tokens of tags, prefixes, keys and the namespace itself.
//
//	ns:e:<name>:<fp>:<key>     entry
//	ns:t:<tag>                 token of a tag          (ns:ts: soft)
//	ns:p:<name>[:<segments>]   token of a prefix       (ns:ps: soft)
//	ns:k:<name>:<key>          token of one key        (ns:ks: soft)
//	ns:g                       token of the namespace  (ns:gs  soft)
//	ns:l:<entry>               lease of a load
//	ns:m                       counters of all instances
//
// What stands before the last part never contains a colon or a glob character,
// so that no two things share a key and a pattern can be built from parts.
package keyspace
