package strategies

import (
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/invalidate"
)

// Trace hears of single events. Nil functions are skipped. They are called in
// the goroutine of the event and must be quick and safe for concurrent use.
// Keys are the caller's; no value is ever passed.
type Trace struct {
	// Answer is called for each answered key.
	Answer func(handle, key string, status Status, took time.Duration)
	// Load is called after each run of a loader, with its error. refresh says
	// that a stale value was there.
	Load func(handle, key string, refresh bool, took time.Duration, err error)
	// Invalidate is called after each invalidation.
	Invalidate func(report invalidate.Report, err error)
	// Breaker is called after each change of the breaker.
	Breaker func(change breaker.Change)
}
