//go:build race

package upstashtest_test

// racing says that the race detector is on: times mean nothing then.
const racing = true
