// Package httpcache caches the answers of an [http.Handler] in Redis as their own
// headers allow: a shared cache after RFC 9111 (HTTP Caching), RFC 5861 (stale
// content), RFC 9213 (targeted fields), RFC 8246 (immutable) and RFC 9211
// (Cache-Status), for reverse proxies and for handlers that set Cache-Control.
// Package handler is for routes whose handlers say nothing about caching.
//
// A response that gives no lifetime is not stored, except for the heuristic that
// RFC 9111 section 4.2.2 allows where there is a Last-Modified. Set-Cookie,
// private, and answers to requests that say who asks are not shared.
//
// A hit costs one billed command and one round trip, a miss two of each; the
// first that meets a Vary costs one command more.
//
// It imports strategies, invalidate, warm and internal packages.
package httpcache
