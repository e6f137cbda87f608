// Package handler caches the answers of an [http.Handler] in Redis.
//
// [Cache] returns a func(http.Handler) http.Handler. It works in two ways.
//
// By preset, when [Config.TTL] is set: the handler sends no cache headers, the
// Config says how long its answers live, what they depend on and which query
// parameters count. The key is the preset's name, the path values and the
// declared parameters, never the scheme or host, so what was warmed under one
// name is found under another.
//
// By the response's own headers, with a Config without TTL: a shared cache
// after RFC 9111 (HTTP Caching), RFC 5861 (stale content), RFC 9213 (targeted
// fields), RFC 8246 (immutable) and RFC 9211 (Cache-Status). A response that
// gives no lifetime is not stored, except for the heuristic that RFC 9111
// section 4.2.2 allows where there is a Last-Modified.
//
// Both ways answer HEAD, conditional and range requests from a stored GET,
// let concurrent misses share one run of the handler, and never store a
// response that might be one user's: Set-Cookie, private, and what the
// requests of other users could not have asked for. A response that will not
// be stored goes to its client as it is written.
//
// A hit costs one billed command and one round trip, a miss two of each.
//
// [Metrics], [Dashboard] and [Purge] are endpoints for operators; [Warm] fills
// a preset through the application's own routes.
//
// It imports strategies, invalidate, warm, client and internal packages.
package handler
