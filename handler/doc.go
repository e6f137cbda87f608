// Package handler caches the answers of an [http.Handler] in Redis, by preset.
//
// [Cache] returns a func(http.Handler) http.Handler for one route. Its handler
// sends no cache headers: the [Config] says how long its answers live, what they
// depend on and which query parameters count. The key is the preset's name, the
// path, the path values and the declared parameters, never the scheme or host,
// so what was warmed under one name is found under another. Package httpcache
// does the same for answers whose own headers say how they may be cached.
//
// It answers HEAD, conditional and range requests from a stored GET, lets
// concurrent misses share one run of the handler, and never stores a response
// that might be one user's: Set-Cookie, private, and what the requests of other
// users could not have asked for. A response that will not be stored goes to its
// client as it is written.
//
// What the handler sees of a request is what the key holds. The values of its
// context are the exception: a middleware around this one that puts the user into
// the context, and a handler that reads it there, must be told by
// [Config].Identity, Skip or Key, or one user gets another's answer.
//
// A hit costs one billed command and one round trip, a miss two of each.
//
// [Warm] fills a preset through the application's own routes. Package ops has the
// endpoints for operators.
//
// It imports strategies, warm and internal packages.
package handler
