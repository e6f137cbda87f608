// Package trial makes a database that needs no account: one documented call,
// whose answer is a page for people. The database ends after three days.
//
// Source: https://upstash.com/docs/devops/developer-api/start-redis/create,
// and the example of an answer in https://upstash.com/blog/redis-database-for-agents.
package trial
