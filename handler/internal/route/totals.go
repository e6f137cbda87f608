package route

import (
	"slices"
	"time"

	"github.com/cldcde/restash/strategies"
)

// Totals are the totals of a Store now.
func Totals(store *strategies.Store, now time.Time) Sample {
	st := store.Stats()
	s := Sample{At: now, Errors: st.Errors, Commands: st.Commands, CommandsSaved: st.CommandsSaved, Breaker: st.Breaker.String()}
	for _, r := range All(store) {
		n, h := &r.Count, st.Handles[r.Name()]
		s.Hits += n.Hits.Count()
		s.Stale += n.Stale.Count()
		s.Misses += n.Misses.Count()
		s.Bypass += n.Bypass.Count()
		s.LoadTimeSaved += h.AvgLoad * time.Duration(n.Hits.Count()+n.Stale.Count())
		delete(st.Handles, r.Name())
	}
	for _, h := range st.Handles {
		s.Hits += h.Hits - h.Stale
		s.Stale += h.Stale
		s.Misses += h.Misses
		s.Bypass += h.Bypass
		s.LoadTimeSaved += h.AvgLoad * time.Duration(h.Hits)
	}
	return s
}

// Recent are the samples of the last minutes, the last one of now, and what has
// happened today (UTC) since its At.
func Recent(store *strategies.Store) (samples []Sample, today Sample) {
	now := time.Now()
	h := historyOf(store)
	tick(h, store, now)
	last := Totals(store, now)
	h.mu.Lock()
	defer h.mu.Unlock()
	today = last.Sub(h.day)
	today.At = h.day.At
	return append(slices.Clone(h.samples), last), today
}

// tick takes a sample if it is time.
func tick(h *History, store *strategies.Store, now time.Time) {
	if h.isDue(now) {
		h.add(Totals(store, now))
	}
}
