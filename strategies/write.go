package strategies

import (
	"context"
	"errors"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// WriteThrough saves value with save and stores it. A read that starts after
// it returned nil never gets an older value from the cache. If save fails, its
// error comes back unchanged, nothing is stored and what was cached is
// invalidated: the save may have been committed all the same. If the save
// succeeded but Redis did not confirm, the error is [ErrPending].
//
// Of two writers of one key at the same time neither's value is stored unless
// it is certain that it was the last. It costs three billed commands in two
// round trips, one more of each when another writer was there.
func (c *Cache[T]) WriteThrough(ctx context.Context, key string, value T, save func(ctx context.Context, value T) error, opts ...Option) error {
	return c.write(ctx, []string{key}, func(string) T { return value }, func(ctx context.Context) error { return save(ctx, value) }, opts)
}

// Set stores value as [Cache.WriteThrough] does, without a save. The last Set
// wins, but the value is older than the moment it is stored: where a database
// is written use WriteThrough.
func (c *Cache[T]) Set(ctx context.Context, key string, value T, opts ...Option) error {
	return c.write(ctx, []string{key}, func(string) T { return value }, nil, opts)
}

// SetMany is [Cache.Set] for many values: two commands each and one more per
// 500 of them or 4 MiB, in two round trips.
func (c *Cache[T]) SetMany(ctx context.Context, values map[string]T, opts ...Option) error {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	var errs error
	for len(keys) > 0 {
		n := min(len(keys), chunkKeys/2)
		errs = errors.Join(errs, c.write(ctx, keys[:n], func(k string) T { return values[k] }, nil, opts))
		keys = keys[n:]
	}
	return errs
}

// Delete runs del, which removes the value from the database, and invalidates
// the key, also when del fails; del's error comes back unchanged. A nil del
// only invalidates. It costs one command.
func (c *Cache[T]) Delete(ctx context.Context, key string, del func(ctx context.Context) error) error {
	return c.DeleteMany(ctx, []string{key}, del)
}

// WriteAround runs save, which changes the value in the database, and
// invalidates the key: the next read loads it. It is [Cache.Delete] under the
// name that says what it is for.
func (c *Cache[T]) WriteAround(ctx context.Context, key string, save func(ctx context.Context) error) error {
	return c.DeleteMany(ctx, []string{key}, save)
}

// DeleteMany is [Cache.Delete] for many keys in one round trip.
func (c *Cache[T]) DeleteMany(ctx context.Context, keys []string, del func(ctx context.Context) error) error {
	if del != nil {
		if err := c.save(ctx, keys, del); err != nil {
			return err
		}
	}
	_, err := c.drop(ctx, keys)
	return err
}

// drop replaces the tokens of keys.
func (c *Cache[T]) drop(ctx context.Context, keys []string) (cost, error) {
	s := c.store
	if s.c == nil || len(keys) == 0 {
		return cost{}, nil
	}
	tokens := make([]string, len(keys))
	for i, k := range keys {
		tokens[i] = s.space.Key(c.cfg.Name, k, false)
	}
	s.counters.invalidations.Add(1)
	return s.replaceTokens(ctx, tokens)
}

// writing is one write of several keys.
type writing[T any] struct {
	c         *Cache[T]
	o         options
	queries   []query
	answers   []*answer // nil: no snapshot
	cost      cost
	stored    int // entries that are as good as this write
	oversized bool
	bytes     int
	wrong     error // the tags: nothing is stored
}

func (c *Cache[T]) write(ctx context.Context, keys []string, value func(string) T, save func(context.Context) error, opts []Option) error {
	w := &writing[T]{c: c, o: c.options(opts)}
	for _, k := range keys {
		q, err := c.query(k, &w.o)
		if err != nil && save == nil {
			return err
		}
		w.wrong = errors.Join(w.wrong, err)
		w.queries = append(w.queries, q)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.wrong == nil {
		w.snapshot(ctx)
	}
	began := time.Now()
	if save != nil {
		if err := c.save(ctx, keys, save); err != nil {
			return err
		}
	}
	err := w.settle(ctx, keys, value, time.Since(began))
	c.stats.charge(w.cost, 0, w.bytes)
	if st := w.o.status; st != nil {
		st.Commands, st.Trips, st.Err = w.cost.commands, w.cost.trips, errors.Join(err, w.wrong)
		st.Stored, st.Oversized = err == nil && w.stored == len(keys), w.oversized
	}
	return err
}

// save runs a change of the database and invalidates the keys if it fails or
// panics: it may have been committed all the same. What stays pending is sent
// by the next call.
func (c *Cache[T]) save(ctx context.Context, keys []string, save func(context.Context) error) error {
	saved := false
	defer func() {
		if !saved {
			_, _ = c.drop(ctx, keys)
		}
	}()
	err := save(ctx)
	saved = err == nil
	return err
}

// snapshot reads the tokens; in strict mode it creates those that are absent.
func (w *writing[T]) snapshot(ctx context.Context) {
	s := w.c.store
	if s.off() {
		return
	}
	at, budget := time.Now(), s.share(ctx)
	var all []flight.Token
	index := map[string]int{}
	for _, q := range w.queries {
		for _, t := range q.tokens {
			if _, ok := index[t.Key]; !ok {
				index[t.Key] = len(all)
				all = append(all, t)
			}
		}
	}
	values, err := s.mget(ctx, budget, appendKeys(nil, all), &w.cost)
	if err != nil {
		return
	}
	all = withValues(all, values)
	if s.cfg.Strict {
		var spent cost
		all, spent, err = s.create(ctx, all, budget-time.Since(at))
		w.cost.add(spent)
		if err != nil {
			return
		}
	}
	took := time.Since(at)
	for _, q := range w.queries {
		a := &answer{at: at, took: took, tokens: make([]flight.Token, len(q.tokens))}
		for i, t := range q.tokens {
			t.Value = all[index[t.Key]].Value
			a.tokens[i] = t
		}
		w.answers = append(w.answers, a)
	}
}

// settle stores what was saved. If a codec panics or ends the goroutine the
// database has been changed all the same, and the keys are invalidated.
func (w *writing[T]) settle(ctx context.Context, keys []string, value func(string) T, took time.Duration) error {
	settled := false
	defer func() {
		if !settled {
			_, _ = w.c.drop(ctx, keys)
		}
	}()
	err := w.store(ctx, keys, value, took)
	settled = true
	return err
}

// store replaces the keys' tokens and stores the entries under the new ones.
func (w *writing[T]) store(ctx context.Context, keys []string, value func(string) T, took time.Duration) error {
	s := w.c.store
	if s.c == nil {
		return nil
	}
	if w.answers == nil || !s.inTime(w.answers[0], w.c.cfg.Advanced.HardTimeout) {
		spent, err := w.c.drop(ctx, keys)
		w.cost.add(spent)
		return err
	}
	s.counters.invalidations.Add(1)
	tokens := make([]string, len(w.queries))
	for i, q := range w.queries {
		tokens[i] = q.token
	}
	s.void(tokens)
	defer s.void(tokens)
	var lost []string // tokens that must be replaced once more
	for from := 0; from < len(w.queries); {
		n, cmds := w.pack(from, value, took)
		replies, spent, err := s.call(context.WithoutCancel(ctx), s.cfg.Budget, cmds.all...)
		w.cost.add(spent)
		for i := range n {
			switch {
			case err != nil || !cmds.won(i, replies):
				lost = append(lost, tokens[from+i])
			case cmds.stored(i, replies):
				w.stored++
			}
		}
		from += n
	}
	if len(lost) == 0 {
		return nil
	}
	spent, err := s.replaceTokens(ctx, lost)
	w.cost.add(spent)
	return err
}

// writeCmds are the commands of one round trip; token[i] is the place of the
// i-th key's token.
type writeCmds struct {
	all   []cmd
	token []int
}

// won reports whether the token of the i-th key was replaced while it was
// still the one of the snapshot: nobody else wrote in between.
func (c writeCmds) won(i int, replies []reply) bool {
	r := replies[c.token[i]]
	return r.err == nil && r.Kind != command.KindNil
}

// stored reports whether the entry of the i-th key was stored too.
func (c writeCmds) stored(i int, replies []reply) bool {
	at := c.token[i] + 1
	next := len(c.all)
	if i+1 < len(c.token) {
		next = c.token[i+1]
	}
	return at < next && replies[at].err == nil
}

// pack builds the commands for as many keys as fit into one round trip.
func (w *writing[T]) pack(from int, value func(string) T, took time.Duration) (int, writeCmds) {
	var p writeCmds
	n, size := 0, 0
	for _, q := range w.queries[from:] {
		a := w.answers[from+n]
		token, set, ok := w.pair(q, a, value(q.key), took)
		if ok && n > 0 && size+len(set.Args()[2]) > chunkBytes {
			break
		}
		p.token = append(p.token, len(p.all))
		p.all = append(p.all, token)
		if ok {
			p.all = append(p.all, set)
			size += len(set.Args()[2])
		}
		n++
	}
	w.bytes += size
	return n, p
}

// pair makes the two commands of one key: its new token, on the condition that
// the old one is still there, and the entry that names the new one.
func (w *writing[T]) pair(q query, a *answer, value T, took time.Duration) (token, set cmd, ok bool) {
	fresh := string(keyspace.NewToken(time.Now()))
	next := make([]flight.Token, len(a.tokens))
	cond := []string{"NX"}
	for i, t := range a.tokens {
		if t.ID == "k" {
			if t.Value != "" {
				cond = []string{"IFEQ", t.Value}
			}
			t.Value = fresh
		}
		next[i] = t
	}
	token = setPX(q.token, fresh, tokenLife, cond...)
	r := run[T]{c: w.c, load: Load[T]{ttl: w.o.ttl, swr: w.o.swr, sie: w.o.sie}}
	if w.o.ttl < time.Millisecond {
		return token, set, false
	}
	set, err := w.c.set(q.entry, r.header(w.o.ttl, took, false), next, value)
	if err != nil {
		r.unstorable(err)
		w.oversized = w.oversized || r.out.oversized
		return token, set, false
	}
	return token, set, true
}
