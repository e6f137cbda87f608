package engine

import "slices"

// Evict drops up to n keys at random, those with a TTL first, and returns
// their names.
func (e *Engine) Evict(n int) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.tick()
	return e.evict(n, "")
}

// evict drops keys, but never the one named keep.
func (e *Engine) evict(n int, keep string) []string {
	var mortal, other []string
	for _, key := range e.allKeys() {
		switch {
		case key == keep:
		case e.deadline(key) > 0:
			mortal = append(mortal, key)
		default:
			other = append(other, key)
		}
	}
	for _, keys := range [][]string{mortal, other} {
		e.rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	}
	victims := append(mortal, other...)
	victims = victims[:min(n, len(victims))]
	for _, key := range victims {
		e.run(&call{args: []string{"DEL", key}})
		if e.wants('e') {
			e.event("evicted", key)
		}
	}
	return victims
}

// allKeys returns all keys in order.
func (e *Engine) allKeys() []string {
	keys := texts(e.raw("KEYS", "*"))
	slices.Sort(keys)
	return keys
}
