package strategies

import (
	"context"
	"slices"
	"time"

	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// readMany reads entries and tokens with one MGET, and the tokens of tags that
// entries were found to have with a second.
func (s *Store) readMany(ctx context.Context, budget time.Duration, qs []query, spent *cost) ([]*answer, error) {
	at := time.Now()
	keys := make([]string, 0, len(qs)*4)
	index := make(map[string]int, len(qs)*4)
	place := func(key string) {
		if _, ok := index[key]; !ok {
			index[key] = len(keys)
			keys = append(keys, key)
		}
	}
	for _, q := range qs {
		place(q.entry)
		for _, t := range q.tokens {
			place(t.Key)
		}
	}
	answers := make([]*answer, len(qs))
	for i, q := range qs {
		answers[i] = &answer{at: at, tokens: make([]flight.Token, len(q.tokens))}
		answers[i].hardPending, answers[i].softPending = s.pending.replaced(q.tokens)
	}
	values, err := s.mget(ctx, budget, keys, spent)
	if err != nil {
		return nil, err
	}
	var late []flight.Token
	for i, q := range qs {
		a := answers[i]
		for n, t := range q.tokens {
			t.Value = string(values[index[t.Key]].Bytes)
			a.tokens[n] = t
		}
		a.parse(values[index[q.entry]])
		for _, tag := range a.missingTags() {
			late = s.appendTag(late, tag)
		}
	}
	err = s.readManyLate(ctx, budget-time.Since(at), qs, answers, late, spent)
	took := time.Since(at)
	for _, a := range answers {
		a.took = took
	}
	s.counters.latency.add(took)
	return answers, err
}

func (s *Store) readManyLate(ctx context.Context, budget time.Duration, qs []query, answers []*answer, late []flight.Token, spent *cost) error {
	if len(late) == 0 {
		return nil
	}
	hard, soft := s.pending.replaced(late)
	values, err := s.mget(ctx, budget, appendKeys(nil, late), spent)
	if err != nil {
		return err
	}
	late = withValues(late, values)
	for i, a := range answers {
		missing := a.missingTags()
		for _, t := range late {
			if slices.Contains(missing, keyspace.Unescape(t.ID[1:])) {
				a.tokens = append(a.tokens, t)
			}
		}
		if len(missing) > 0 {
			a.hardPending, a.softPending = a.hardPending || hard, a.softPending || soft
			s.learn(qs[i].entry, missing)
		}
	}
	return nil
}
