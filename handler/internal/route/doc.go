// Package route carries one request through the cache: what the middlewares of
// handler and httpcache share.
//
// A [Route] is what all uses of one Config have in common. An [Exchange] is one
// request, an [Attempt] one question to the Store, a [Job] one run of the
// handler within it. What the two middlewares decide differently are [Rules].
package route
