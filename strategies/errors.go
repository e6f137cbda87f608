package strategies

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/cldcde/restash/strategies/internal/engine"
)

var (
	// ErrNotFound says that the value does not exist. A loader returns it, or
	// an error that wraps it, and with Config.Negative set that is remembered.
	ErrNotFound = engine.ErrNotFound
	// ErrPending says that the database holds the new value but Redis has not
	// confirmed the invalidation. It is sent again with later commands of
	// this Store, after a pause that doubles. Until it is confirmed this process
	// treats the targets as invalid; others may read the old value.
	ErrPending = engine.ErrPending
	// ErrTags says that an entry would have more than [MaxTags] tags, or an
	// empty one. Reads load such a value and do not store it; Status.Err and, once
	// for a handle, a warning say so. Set and Warm return it.
	ErrTags = engine.ErrTags
	// ErrLoadTimeout says that a load took longer than its hard timeout.
	ErrLoadTimeout = engine.ErrLoadTimeout
	// ErrCircle says that a loader asked for the very value that it loads,
	// directly or through others; the error names the keys. It is found where
	// loaders pass their context on.
	ErrCircle = engine.ErrCircle
	// ErrClosed says that the Store was closed.
	ErrClosed = errors.New("strategies: store closed")
	// ErrSoft says that a soft invalidation was asked of a Store without
	// StoreConfig.Soft, whose readers would not see it.
	ErrSoft = errors.New("strategies: soft invalidation needs StoreConfig.Soft")
)

// PanicError is what callers get when a loader panics.
type PanicError struct {
	// Value that was passed to panic.
	Value any
	// Stack of the loader's goroutine.
	Stack []byte
}

// Error prints the value of the panic, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("strategies: the loader panicked: %v", e.Value)
}

// Unwrap returns the value of the panic if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errNoLoader says that the state of the cache alone cannot answer.
var errNoLoader = errors.New("strategies: loader is nil")

// ErrQuotaNear is returned by warm-ups that are left out so that StoreConfig.Quota
// lasts.
var ErrQuotaNear = engine.ErrQuotaNear

// ErrNoFleet is returned by [Store.Fleet] of a Store without
// StoreConfig.FleetMetrics or without a client.
var ErrNoFleet = engine.ErrNoFleet

// panicked makes the error of a panic in a user's code.
func panicked(value any) error { return &PanicError{Value: value, Stack: debug.Stack()} }
