package engine

import (
	"time"
)

// A failed refresh is not tried again for a second, then two, four, and so on
// up to maxBackoff, per entry and process: a sick database is not asked once
// per request.
const (
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
)

func (e *Engine) backOff(entry string) {
	b, ok := e.failed.get(entry)
	if !ok {
		b.next = firstBackoff
	}
	b.until = time.Now().Add(b.next)
	b.next = min(2*b.next, maxBackoff)
	e.failed.set(entry, b)
}

func (e *Engine) backingOff(entry string) bool {
	b, ok := e.failed.get(entry)
	return ok && time.Now().Before(b.until)
}
