// Package adapters shows how the cache of package handler goes into other
// routers than net/http's: chi, gin, echo and fiber.
//
// One thing needs care in all of them. A load may go on after its request has
// ended: a stale answer is refreshed, or the client has left. By then these
// routers have given the request's own context object, or its very bytes, to
// another request. So the cached handler is a plain http.Handler that takes what
// it needs from the *http.Request, and what the request holds is copied where
// the router would reuse it.
//
// It is a module of its own, so that nobody who wants one router downloads four.
// It imports handler and the routers.
package adapters
