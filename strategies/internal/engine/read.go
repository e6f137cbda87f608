package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// readOne is the read that callers of one key share.
func (e *Engine) readOne(ctx context.Context, key string, tokens []flight.Token) (*snapshot, error) {
	var spent Cost
	list, err := e.snapshots(ctx, e.share(ctx), []query{{entry: key, tokens: tokens}}, &spent)
	if err != nil {
		return nil, err
	}
	list[0].cost = spent
	return list[0], nil
}

// snapshots reads entries and tokens with one MGET, and the tokens of tags that
// entries were found to have with a second; the next time they are known.
func (e *Engine) snapshots(ctx context.Context, budget time.Duration, qs []query, spent *Cost) ([]*snapshot, error) {
	var stamp uint64
	if e.cfg.Local != nil {
		stamp = e.cfg.Local.Stamp()
	}
	at := time.Now()
	list := make([]*snapshot, len(qs))
	for i := range qs {
		s := &snapshot{at: at, stamp: stamp}
		s.hardPending, s.softPending = e.pending.replaced(qs[i].tokens)
		list[i] = s
	}
	keys, index := keysOf(qs)
	values, err := e.mget(ctx, budget, keys, spent)
	if err != nil {
		return nil, err
	}
	next := 0
	at1 := func(key string) command.Reply {
		if index == nil {
			next++
			return values[next-1]
		}
		return values[index[key]]
	}
	for i, s := range list {
		s.parse(at1(qs[i].entry))
		s.tokens = make([]flight.Token, len(qs[i].tokens))
		for n, t := range qs[i].tokens {
			t.Value = string(at1(t.Key).Bytes)
			s.tokens[n] = t
		}
	}
	err = e.readLate(ctx, budget-time.Since(at), qs, list, spent)
	took := time.Since(at)
	for _, s := range list {
		s.took = took
	}
	e.counters.reads.add(took)
	return list, err
}

// keysOf are the keys to read, each once, and where they are; those of a single
// query are in its own order, without an index.
func keysOf(qs []query) (keys []string, index map[string]int) {
	if len(qs) == 1 {
		keys = append(make([]string, 0, len(qs[0].tokens)+1), qs[0].entry)
		return appendKeys(keys, qs[0].tokens), nil
	}
	keys, index = make([]string, 0, len(qs)*4), make(map[string]int, len(qs)*4)
	place := func(key string) {
		if _, ok := index[key]; !ok {
			index[key] = len(keys)
			keys = append(keys, key)
		}
	}
	for i := range qs {
		place(qs[i].entry)
		for _, t := range qs[i].tokens {
			place(t.Key)
		}
	}
	return keys, index
}

// mget reads keys with one command and checks the shape of the reply.
func (e *Engine) mget(ctx context.Context, budget time.Duration, keys []string, spent *Cost) ([]command.Reply, error) {
	replies, c, err := e.call(ctx, budget, mget(keys))
	spent.add(c)
	if err != nil {
		return nil, err
	}
	if err := replies[0].err; err != nil {
		return nil, err
	}
	if n := len(replies[0].Array); n != len(keys) {
		return nil, fmt.Errorf("strategies: MGET of %d keys answered %d values", len(keys), n)
	}
	return replies[0].Array, nil
}

// readLate reads the tokens of tags that entries were found to have.
func (e *Engine) readLate(ctx context.Context, budget time.Duration, qs []query, list []*snapshot, spent *Cost) error {
	var late []flight.Token
	missing := make([][]string, len(list))
	for i, s := range list {
		if missing[i] = s.missingTags(); len(missing[i]) > keyspace.MaxTags {
			s.parsed, missing[i] = false, nil // no entry of ours has so many
		}
		for _, tag := range missing[i] {
			late = e.appendTag(late, tag)
		}
	}
	if len(late) == 0 {
		return nil
	}
	hard, soft := e.pending.replaced(late)
	values, err := e.mget(ctx, budget, appendKeys(nil, late), spent)
	if err != nil {
		return err
	}
	late = withValues(late, values)
	for i, s := range list {
		if len(missing[i]) == 0 {
			continue
		}
		for _, t := range late {
			if slices.Contains(missing[i], keyspace.Unescape(t.ID[1:])) {
				s.tokens = append(s.tokens, t)
			}
		}
		s.hardPending, s.softPending = s.hardPending || hard, s.softPending || soft
		e.learn(qs[i].entry, missing[i])
	}
	return nil
}
