//go:build !race

package upstashtest_test

const racing = false
