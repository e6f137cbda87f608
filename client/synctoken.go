package client

import (
	"sync"
)

const syncHeader = "Upstash-Sync-Token"

// syncToken keeps the token with which this client reads what it wrote. Tokens
// say nothing about their order, and answers overtake each other, so:
//
//   - the answer to a read replaces the token only if its request carried it,
//     which is when nothing else came in between;
//   - the answer to a write replaces whatever reads left, and a write's token if
//     its request carried that or began later.
//
// Of two writes that overlap the one that began later wins: a reader may miss the
// other one where regions lag.
type syncToken struct {
	mu     sync.Mutex
	value  []string // one element, shared by the headers of requests, never written
	writer uint64   // number of the write that it came from, 0 if a read
	last   uint64   // number of the last request
}

// begin numbers a request and returns the header that it carries.
func (t *syncToken) begin() (value []string, number uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	if t.value == nil {
		t.value = []string{""} // the official SDKs begin with an empty one
	}
	return t.value, t.last
}

// answer takes the token of the answer to request number, which carried
// another; an answer without one changes nothing.
func (t *syncToken) answer(number uint64, write bool, carried, header []string) {
	if len(header) == 0 || header[0] == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	newest := len(carried) == 1 && t.value[0] == carried[0]
	switch {
	case !newest && !write, !newest && number < t.writer:
		return
	case write:
		t.writer = number
	case t.value[0] != header[0]:
		t.writer = 0 // it stands for at least what the token before it did
	}
	if t.value[0] != header[0] {
		t.value = []string{header[0]}
	}
}
