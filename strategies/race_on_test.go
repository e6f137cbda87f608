//go:build race

package strategies_test

// raced says that the race detector is on, which makes schedules ten times slower.
const raced = true
