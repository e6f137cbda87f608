// Command restash runs the sample catalogue, a local Upstash-compatible server
// and the warming of caches from a terminal.
//
//	restash dev       local server, SQLite and the sample's routes, no account
//	restash serve     the local REST server alone, on a fixed address
//	restash warm      fill the caches that the routes of the sample read
//	restash commands  the table of Redis commands that the client types
//
// dev and warm take UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or
// KV_REST_API_URL and KV_REST_API_TOKEN) and DATABASE_URL from the
// environment. An error is one line on stderr and exit status 1.
//
// It may import every package of this module.
package main
