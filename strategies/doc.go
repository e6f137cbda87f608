// Package strategies caches values in Redis over REST: cache-aside,
// stale-while-revalidate, write-through, batches and memoization, with
// invalidations that no late load can undo.
//
// A [Store] is one per process; a [Cache] is a typed handle for one class of
// values. A hit costs one billed command and one round trip, a miss two and
// two: one MGET reads the entry together with the tokens of its tags, prefixes
// and key, and an entry is valid only if the tokens it was loaded under are
// still the ones in Redis. An invalidation replaces a token; whatever was
// loaded before it is dead on arrival, however late it is stored.
//
// What goes wrong with the cache never fails the caller: the loader answers.
// A circuit breaker, on by default, keeps a dead Redis from costing time.
//
// # The promise
//
// With no local cache, a read that starts after a hard invalidation (tag, key,
// prefix, all) or a [Cache.WriteThrough] returned without anything pending
// never gets a cached value whose load began before it, also not as stale or
// on errors. The conditions: no token was lost (eviction and flush are off, or
// the Store is strict); the reader sees the invalidation (one region, the same
// process, or its sync token); for tags that a loader adds, and for SourceLag,
// clocks agree to two seconds. If the database that the loader reads lags
// behind its writer, StoreConfig.SourceLag must say by how much. An
// invalidation that failed returns [ErrPending] and is sent again while
// this process lives; if the process dies, old entries live to their expiry.
package strategies
