//go:build !race

package warm_test

const racing = false
