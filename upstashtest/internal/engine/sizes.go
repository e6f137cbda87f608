package engine

import "time"

// Upper is strings.ToUpper for ASCII, without an allocation when there is
// nothing to change.
func Upper(s string) string { return upper(s) }

// Now is the database's time.
func (e *Engine) Now() time.Time { return e.clock() }

// SizeOf estimates the bytes that a key and its value take.
func (e *Engine) SizeOf(key string) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.typeOf(key) == "none" {
		return 0
	}
	return e.size(key)
}

// DataSize estimates the bytes of all keys.
func (e *Engine) DataSize() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0
	}
	e.tick()
	return e.dataSize()
}

// PendingOf is how many entries of a stream a consumer has not acknowledged.
func (e *Engine) PendingOf(key, group, consumer string) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0
	}
	_, g, _ := e.groupOf(key, group)
	if g == nil || g.consumers[consumer] == nil {
		return 0
	}
	return int64(len(g.pendingOf(g.consumers[consumer])))
}
