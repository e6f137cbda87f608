package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// write is one write of several keys.
type write struct {
	c         *Class
	o         *Options
	queries   []query
	snaps     []*snapshot // nil: no snapshot
	cost      Cost
	stored    int // entries that are as good as this write
	oversized bool
	bytes     int
	wrong     error // the tags: nothing is stored
}

// Write saves values of keys with save, which may be nil, and stores them under
// new tokens. value is asked behind the save.
func (c *Class) Write(ctx context.Context, keys []string, value func(key string) any, save func(context.Context) error, o *Options) (Status, error) {
	w := &write{c: c, o: o}
	for _, k := range keys {
		q := c.query(k, o)
		if q.wrong != nil && save == nil {
			return Status{}, q.wrong
		}
		w.wrong = errors.Join(w.wrong, q.wrong)
		w.queries = append(w.queries, q)
	}
	if err := ctx.Err(); err != nil {
		return Status{}, err
	}
	if w.wrong == nil {
		w.snapshot(ctx)
	}
	began := time.Now()
	if save != nil {
		if err := c.Save(ctx, keys, save); err != nil {
			return Status{}, err
		}
	}
	err := w.settle(ctx, keys, value, time.Since(began))
	c.stats.charge(w.cost, 0, w.bytes)
	return Status{
		Cost: w.cost, Err: errors.Join(err, w.wrong),
		Stored: err == nil && w.stored == len(keys), Oversized: w.oversized,
	}, err
}

// Save runs a change of the database and invalidates the keys if it fails or
// panics: it may have been committed all the same. What stays pending is sent
// by a later call.
func (c *Class) Save(ctx context.Context, keys []string, save func(context.Context) error) error {
	saved := false
	defer func() {
		if !saved {
			_, _ = c.invalidate(ctx, keys)
		}
	}()
	err := save(ctx)
	saved = err == nil
	return err
}

// Invalidate replaces the tokens of keys.
func (c *Class) Invalidate(ctx context.Context, keys []string) error {
	_, err := c.invalidate(ctx, keys)
	return err
}

func (c *Class) invalidate(ctx context.Context, keys []string) (Cost, error) {
	e := c.e
	if e.redis == nil || len(keys) == 0 {
		return Cost{}, nil
	}
	tokens := make([]string, len(keys))
	for i, k := range keys {
		tokens[i] = e.space.Key(c.cfg.Name, k, false)
	}
	e.counters.add(CountInvalidations, 1)
	return e.replaceTokens(ctx, tokens)
}

// snapshot reads the tokens; in strict mode it creates those that are absent.
func (w *write) snapshot(ctx context.Context) {
	e := w.c.e
	if e.off() {
		return
	}
	at, budget := time.Now(), e.share(ctx)
	all := union(func(yield func([]flight.Token) bool) {
		for i := range w.queries {
			if !yield(w.queries[i].tokens) {
				return
			}
		}
	})
	values, err := e.mget(ctx, budget, appendKeys(nil, all), &w.cost)
	if err != nil {
		return
	}
	all = withValues(all, values)
	if e.cfg.Strict {
		var spent Cost
		all, spent, err = w.c.create(ctx, all, budget-time.Since(at))
		w.cost.add(spent)
		if err != nil {
			return
		}
	}
	known := valuesOf(all)
	for i := range w.queries {
		w.snaps = append(w.snaps, &snapshot{at: at, tokens: valued(w.queries[i].tokens, known)})
	}
}

// settle stores what was saved. If a codec panics or ends the goroutine the
// database has been changed all the same, and the keys are invalidated.
func (w *write) settle(ctx context.Context, keys []string, value func(string) any, took time.Duration) error {
	settled := false
	defer func() {
		if !settled {
			_, _ = w.c.invalidate(ctx, keys)
		}
	}()
	err := w.store(ctx, keys, value, took)
	settled = true
	return err
}

// store replaces the keys' tokens and stores the entries under the new ones.
func (w *write) store(ctx context.Context, keys []string, value func(string) any, took time.Duration) error {
	e := w.c.e
	if e.redis == nil {
		return nil
	}
	if w.snaps == nil || !inTime(w.snaps[0], w.c.cfg.HardTimeout) {
		spent, err := w.c.invalidate(ctx, keys)
		w.cost.add(spent)
		return err
	}
	e.counters.add(CountInvalidations, 1)
	tokens := make([]string, len(w.queries))
	for i, q := range w.queries {
		tokens[i] = q.token
	}
	e.void(tokens)
	defer e.void(tokens)
	lost := w.send(ctx, value, took)
	if len(lost) == 0 {
		return nil
	}
	spent, err := e.replaceTokens(ctx, lost)
	w.cost.add(spent)
	return err
}

// send sends the pairs, as many as fit into one request, and returns the tokens
// that must be replaced once more.
func (w *write) send(ctx context.Context, value func(string) any, took time.Duration) (lost []string) {
	e := w.c.e
	for from := 0; from < len(w.queries); {
		part, cmds := w.pack(from, value, took)
		replies, spent, err := e.setMany(context.WithoutCancel(ctx), e.cfg.Budget, cmds)
		w.cost.add(spent)
		for i, p := range part {
			var own []reply
			if err == nil {
				own, replies = replies[:len(p)], replies[len(p):]
			}
			switch {
			case len(own) == 0 || own[0].err != nil || own[0].Kind == command.KindNil:
				lost = append(lost, w.queries[from+i].token) // another writer was there
			case len(own) > 1 && own[1].err == nil:
				w.stored++
			}
		}
		from += len(part)
	}
	return lost
}

// pack builds the commands for as many keys as fit into one request, those of
// each key apart and all together.
func (w *write) pack(from int, value func(string) any, took time.Duration) (part [][]cmd, all []cmd) {
	size := 0
	for i := from; i < len(w.queries); i++ {
		pair := w.pair(&w.queries[i], w.snaps[i], value, took)
		grown := size
		if len(pair) > 1 {
			grown += len(pair[1].Args()[2])
		}
		if len(part) > 0 && grown > chunkBytes {
			break
		}
		size = grown
		part, all = append(part, pair), append(all, pair...)
	}
	w.bytes += size
	return part, all
}

// pair makes the commands of one key: its new token, on the condition that
// the old one is still there, and the entry that names the new one, if there
// is to be one.
func (w *write) pair(q *query, s *snapshot, value func(string) any, took time.Duration) []cmd {
	fresh := string(keyspace.NewToken(time.Now()))
	next := slices.Clone(s.tokens)
	at := slices.IndexFunc(next, func(t flight.Token) bool { return t.ID == "k" })
	cond := []string{"NX"}
	if old := next[at].Value; old != "" {
		cond = []string{"IFEQ", old}
	}
	next[at].Value = fresh
	cmds := []cmd{setPX(q.token, fresh, tokenLife, cond...)}
	if w.o.TTL < time.Millisecond {
		return cmds
	}
	lives := life{w.o.TTL, w.o.StaleWhileRevalidate, w.o.StaleIfError}
	var set cmd
	body, err := w.c.encode(value(q.key))
	if err == nil {
		set, err = w.c.set(q.entry, w.c.header(lives, took, false), lives.expiry(), next, body)
	}
	switch {
	case err == nil:
		return append(cmds, set)
	case errors.Is(err, errOversized):
		w.oversized = true
		w.c.oversized(err)
	default:
		w.c.say("encode", "value not cached: it cannot be encoded", err)
		w.c.count(CountErrors, 1)
	}
	return cmds
}
