// Package restash is the root of a module that speaks to Upstash Redis over
// REST and caches Go functions and HTTP handlers in it.
//
// The root holds documentation, whole-program examples and the tests of the
// repository; it exports nothing. In reading order, from the bottom up:
//
//   - client/command: one typed value per Redis command, without any I/O.
//   - client: sends a command to Upstash over HTTP, retries what is safe to
//     repeat, and returns typed errors.
//   - pipeline: many commands in one round trip, each with its own result.
//   - breaker: stops calls to a Redis that does not answer.
//   - invalidate: names what must no longer be served: keys, tags, everything.
//   - strategies: Store, one per process, and Cache[T], a typed handle per
//     class of data: cache-aside, stale-while-revalidate, write-through,
//     batches and warming.
//   - warm: plans of things to load before the first request asks for them.
//   - handler: caching of whole HTTP answers, with presets and metrics.
//   - upstashtest: an Upstash-compatible REST server in process, for tests and
//     local development.
//   - examples/catalog: the sample platform, written with the public packages.
//   - api: the sample as Vercel functions.
//   - cmd/restash: the command line: dev, serve, warm, commands.
//
// Imports go down this list only; a test in this folder holds every package to
// its row of the table.
//
// The promise of the cache, and what it depends on, is in README.md.
package restash
