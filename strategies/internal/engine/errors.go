package engine

import (
	"errors"
	"slices"
)

// The errors that package strategies documents.
var (
	ErrNotFound    = errors.New("strategies: not found")
	ErrPending     = errors.New("strategies: invalidation pending")
	ErrTags        = errors.New("strategies: invalid tags")
	ErrLoadTimeout = errors.New("strategies: load timed out")
	ErrCircle      = errors.New("strategies: a load waits for itself")
	ErrNoFleet     = errors.New("strategies: StoreConfig.FleetMetrics is not set")
)

var (
	// ErrQuotaNear says that something is left out so that the quota lasts.
	ErrQuotaNear = errors.New("strategies: the quota is near")
	// errOff says that the engine is off.
	errOff = errors.New("strategies: the cache is off")
	// errShort says that a reply does not fit its command.
	errShort = errors.New("strategies: a reply is shorter than the command asks for")
	// errOversized says that an entry is over the size limit.
	errOversized = errors.New("strategies: entry over the size limit")
	// errRefused says that the executor did not take a refresh.
	errRefused = errors.New("strategies: stale value instead of a load")
)

const exited = "the loader ended its goroutine (runtime.Goexit)"

// Join is errors.Join that hands a single error back unchanged, and the same
// error once: one failed run of a loader is one error.
func Join(errs ...error) error {
	var list []error
	for _, e := range errs {
		if e != nil && !slices.ContainsFunc(list, func(have error) bool { return same(have, e) }) {
			list = append(list, e)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return errors.Join(list...)
}

// same compares errors, of which some cannot be compared.
func same(a, b error) (equal bool) {
	defer func() { _ = recover() }()
	return a == b
}
