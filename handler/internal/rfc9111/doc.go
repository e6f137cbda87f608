// Package rfc9111 has the rules of HTTP caching as pure functions: directives
// and targeted fields, freshness and age, Vary and variants, conditions and
// ranges, and what may be stored (RFC 9111, 5861, 8246, 9110, 9213).
package rfc9111
