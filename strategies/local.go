package strategies

import (
	"time"

	"github.com/cldcde/restash/internal/entry"
)

// local answers from the process's own cache if there is one. Strict Stores
// and forced calls do not ask it.
func (f *fetch[T]) local() (T, bool) {
	var zero T
	s := f.c.store
	if s.cfg.Local == nil || s.cfg.Strict || f.o.force {
		return zero, false
	}
	s.thaw()
	data, tokens, ok := s.cfg.Local.Get(f.q.entry)
	if !ok || !f.covered(tokens) {
		return zero, false
	}
	a := &answer{data: data}
	e, err := entry.Parse(data)
	if err != nil {
		return zero, false
	}
	a.entry = e
	left := e.Deadline().Sub(time.Now())
	if left <= 0 || e.Negative {
		return zero, false
	}
	value, err := f.c.decode(a)
	if err != nil {
		return zero, false
	}
	f.served(Hit, "", a, verdict{left: left})
	f.c.count(countLocal, 1)
	f.c.count(countSaved, 1)
	return value, true
}

// covered reports whether the local entry was checked against every token that
// this call names.
func (f *fetch[T]) covered(tokens []string) bool {
	for _, t := range f.q.tokens {
		if !contains(tokens, t.Key) {
			return false
		}
	}
	return true
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// keepLocal hands an entry that was just found valid to the local cache.
func (f *fetch[T]) keepLocal(a *answer) {
	s := f.c.store
	if s.cfg.Local == nil || s.cfg.Strict {
		return
	}
	tokens := make([]string, len(a.tokens))
	for i, t := range a.tokens {
		tokens[i] = t.Key
	}
	s.cfg.Local.Put(f.q.entry, a.data, tokens, a.stamp)
}
