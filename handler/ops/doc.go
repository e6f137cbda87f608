// Package ops has the endpoints that operators use: counters as JSON and for
// Prometheus, a dashboard, invalidation by request, and warming by a scheduler.
//
// [Secret] protects any of them; [Purge] and [Cron] refuse without one. All
// errors have one form, {"code","message"}. No answer holds a value, a token or
// the address of Redis, and none is cached.
//
// It imports handler/internal/route, strategies, invalidate and warm.
package ops
