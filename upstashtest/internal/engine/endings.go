package engine

import (
	"container/heap"
)

// ending is when a key, or a field of a hash, is to go.
type ending struct {
	at         int64 // Unix milliseconds
	key, field string
}

// endings is a heap, the next one first. One that no longer holds, because the
// lifetime was changed, stays in it until its time has come.
type endings struct {
	list  []ending
	known map[[2]string]int64 // what is in the list already
}

func (h *endings) Len() int { return len(h.list) }

func (h *endings) Less(i, j int) bool { return h.list[i].at < h.list[j].at }

func (h *endings) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }

func (h *endings) Push(x any) { h.list = append(h.list, x.(ending)) }

func (h *endings) Pop() any {
	n := len(h.list) - 1
	last := h.list[n]
	h.list = h.list[:n]
	return last
}

func (h *endings) add(n ending) {
	name := [2]string{n.key, n.field}
	if h.known[name] == n.at {
		return
	}
	if h.known == nil {
		h.known = map[[2]string]int64{}
	}
	h.known[name] = n.at
	// What is outdated must not pile up where one key is renewed all the time.
	if len(h.list) > 2*len(h.known)+64 {
		h.list = h.list[:0]
		for name, at := range h.known {
			h.list = append(h.list, ending{at, name[0], name[1]})
		}
		heap.Init(h)
		return
	}
	heap.Push(h, n)
}

// due takes out the next ending that has come.
func (h *endings) due(now int64) (ending, bool) {
	if len(h.list) == 0 || h.list[0].at > now {
		return ending{}, false
	}
	n := heap.Pop(h).(ending)
	if name := [2]string{n.key, n.field}; h.known[name] == n.at {
		delete(h.known, name)
	}
	return n, true
}
