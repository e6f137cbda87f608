package client

import "sync"

const syncHeader = "Upstash-Sync-Token"

// syncToken keeps the newest token of the server. Answers overtake each
// other: one may replace the token only if its request began after the
// request that the token came from.
type syncToken struct {
	mu     sync.Mutex
	value  []string // one element, shared by the headers of requests, never written
	origin uint64   // number of the request it came from
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

// answer takes the token of the answer to request number; an answer without
// one changes nothing.
func (t *syncToken) answer(number uint64, header []string) {
	if len(header) == 0 || header[0] == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if number < t.origin {
		return
	}
	t.origin = number
	if t.value[0] != header[0] {
		t.value = []string{header[0]}
	}
}

// SyncToken returns the token of the newest answer, "" before the first. Hand
// it to another process, which calls [Client.SetSyncToken], and that process
// reads what this one wrote.
func (c *Client) SyncToken() string {
	c.sync.mu.Lock()
	defer c.sync.mu.Unlock()
	if c.sync.value == nil {
		return ""
	}
	return c.sync.value[0]
}

// SetSyncToken makes the next requests see at least the state that token
// stands for. Answers to requests that began before do not replace it.
func (c *Client) SetSyncToken(token string) {
	c.sync.mu.Lock()
	defer c.sync.mu.Unlock()
	c.sync.last++
	c.sync.origin = c.sync.last
	c.sync.value = []string{token}
}
