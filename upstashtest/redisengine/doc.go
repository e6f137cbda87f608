// Package redisengine puts a real Redis or Valkey behind the REST protocol of
// upstashtest: what REST serves is passed on, the rest is refused before it
// gets there. Compare-and-set of Redis 8.4, which Upstash has, is a script in
// front of older servers. Commands inside a script are not billed here, since
// nobody can count them from outside; lifetimes run by the Redis' own clock.
//
// It may import upstashtest and go-redis.
package redisengine
