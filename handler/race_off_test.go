//go:build !race

package handler_test

const raced = false
