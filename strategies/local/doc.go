// Package local is a cache in the process, in front of Redis: a hit costs no
// command and no round trip. It is off by default.
//
// # What it costs the promise
//
// An invalidation by this process reaches it at once. One by another process
// does not: a value may be served for up to [Config.MaxAge] after it was
// invalidated elsewhere, one second by default, and for [Config.WhileDown] more
// while Redis does not answer, if you allow that. Strict Stores do not ask it.
// After a freeze it is empty.
package local
