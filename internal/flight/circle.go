package flight

import "sync"

// Work is one call of a loader, for one load or for all those of a batch. A
// loader may ask for other keys; what it waits for is noted here, so that one
// that would wait for itself is told so. A nil Work waits for nothing.
type Work[S, V any] struct {
	table  *Table[S, V]
	parent *Work[S, V] // whose loader asked for this
	loads  []*Load[S, V]
	waits  map[*Load[S, V]]int
	ended  bool
}

// waiting guards who waits for whom, in all tables: a circle may lead through
// several.
var waiting sync.Mutex

// Run notes that the loader of loads is called now, on behalf of parent's: until
// then a load is newer than everybody who asks for it.
func (t *Table[S, V]) Run(parent *Work[S, V], loads ...*Load[S, V]) *Work[S, V] {
	w := &Work[S, V]{table: t, parent: parent, loads: loads, waits: map[*Load[S, V]]int{}}
	waiting.Lock()
	for _, l := range loads {
		l.work = w
	}
	waiting.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.tick()
	for _, l := range loads {
		l.begun = now
	}
	return w
}

// End says that the loader has returned: it waits for nothing any more.
func (w *Work[S, V]) End() {
	waiting.Lock()
	defer waiting.Unlock()
	w.ended = true
	clear(w.waits)
}

// Within returns the keys from the one that the loader of w, or one that waits
// for it, loads already, to w's own, if that is the given key.
func (w *Work[S, V]) Within(t *Table[S, V], key string) (path []string) {
	waiting.Lock()
	defer waiting.Unlock()
	for at := w; at != nil; at = at.parent {
		for _, l := range at.loads {
			if at.table == t && l.key == key && !at.ended {
				return append([]string{key}, path...)
			}
		}
		path = append([]string{at.loads[0].key}, path...)
	}
	return nil
}

// Wait notes that the loader of w waits for l, until leave is called. If l
// waits for w already it returns the keys of that circle instead, beginning
// with l's.
func (w *Work[S, V]) Wait(l *Load[S, V]) (circle []string, leave func()) {
	if w == nil {
		return nil, func() {}
	}
	waiting.Lock()
	defer waiting.Unlock()
	if path := l.pathTo(w, map[*Work[S, V]]bool{}); path != nil {
		return path, nil
	}
	w.waits[l]++
	return nil, func() {
		waiting.Lock()
		defer waiting.Unlock()
		if w.waits[l]--; w.waits[l] <= 0 {
			delete(w.waits, l)
		}
	}
}

// pathTo returns the keys on the way from l to w along what waits for what.
func (l *Load[S, V]) pathTo(w *Work[S, V], seen map[*Work[S, V]]bool) []string {
	at := l.work
	switch {
	case at == nil || at.ended || seen[at]:
		return nil
	case at == w:
		return []string{l.key}
	}
	seen[at] = true
	for next := range at.waits {
		if path := next.pathTo(w, seen); path != nil {
			return append([]string{l.key}, path...)
		}
	}
	return nil
}

// Queued says that the loads wait for their turn, and calls start if somebody
// cannot wait until that comes; see [Table.Hurry].
func (t *Table[S, V]) Queued(start func(), loads ...*Load[S, V]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range loads {
		l.hurry = start
		if l.hurried {
			start()
		}
	}
}

// Hurry lets a load that is queued start at once: a running one waits for it.
func (t *Table[S, V]) Hurry(l *Load[S, V]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.hurried = true
	if l.hurry != nil {
		l.hurry()
	}
}
