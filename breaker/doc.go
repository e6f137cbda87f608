// Package breaker stops calls to a cache that does not answer, so that a dead
// Redis costs a request nothing.
//
// It is a policy over [github.com/sony/gobreaker/v2] with the numbers of this
// module: five failures in a row open it, it stays open for a minute, then
// three trial calls decide. It knows nothing of Redis or HTTP; the caller says
// what a failure is. It imports no other package of this module.
package breaker
