// Command restash runs the sample catalogue and a local Upstash-compatible server,
// and looks into a database and its caches from a terminal.
//
// Each command tells of itself: restash help COMMAND. Those that speak to a
// database take it from UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or
// KV_REST_API_URL and KV_REST_API_TOKEN) of the environment or of the file of
// --env-file. An error is one line on stderr; the exit status is 1 if a command
// failed and 2 if it was not understood.
//
// It may import every package of this module.
package main
