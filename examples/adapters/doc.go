// Package adapters shows how the cache of package handler goes into other
// routers than net/http's: chi, gin, echo and fiber.
//
// A router may give what a request holds to the next one as soon as ServeHTTP
// has returned: chi and echo their contexts, fiber its very bytes. The cache
// never runs a handler longer than that (unless Advanced.Detach tells it to), so
// chi needs nothing, and the others only a few lines that turn their route's
// parameters into path values. Fiber's requests are copied, for fiber writes
// over them while a flushed answer is still on its way.
//
// It is a module of its own, so that nobody who wants one router downloads four.
// It imports handler and the routers.
package adapters
