package engine

import "sync"

// maxTopKeys is how many keys of a class are counted at a time.
const maxTopKeys = 64

// maxTopKey bounds the part of a key that is kept.
const maxTopKey = 256

// KeyMisses is a key and how often it was a miss.
type KeyMisses struct {
	Name, Key string
	Misses    int64
}

// topKeys counts the most frequent keys in bounded memory (Metwally, Agrawal, El
// Abbadi 2005, "space saving"): a new key takes the place, and the count, of the
// rarest. The zero value is empty.
type topKeys struct {
	mu     sync.Mutex
	counts map[string]int64
}

func (t *topKeys) add(key string) {
	key = key[:min(len(key), maxTopKey)]
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	n, known := t.counts[key]
	if !known && len(t.counts) >= maxTopKeys {
		rarest := ""
		for k, count := range t.counts {
			if n == 0 || count < n {
				rarest, n = k, count
			}
		}
		delete(t.counts, rarest)
	}
	t.counts[key] = n + 1
}
