package engine

import (
	"context"
	"errors"

	"github.com/cldcde/restash/client"
)

// Get returns the value of one key, and how it came about. Its caller has asked
// [Class.Local].
func (c *Class) Get(ctx context.Context, key string, load Loader, o *Options) (any, Status, error) {
	l := c.lookup(load, o)
	it := &l.only
	it.query = c.query(key, o)
	if err := l.answer(ctx, []*item{it}); err != nil {
		it.err = err
	}
	l.merge(it)
	return it.value, l.status, it.err
}

// Peek returns what a read would be answered with and loads nothing. ok says that
// there is a value; err is why the cache could not be asked, or [ErrNotFound].
func (c *Class) Peek(ctx context.Context, key string, o *Options) (value any, ok bool, st Status, err error) {
	l := c.lookup(nil, o)
	it := &l.only
	it.query = c.query(key, o)
	_, err = l.read(ctx, []*item{it})
	l.noteFailure(err)
	l.decide(it, err)
	l.merge(it)
	if errors.Is(err, errOff) {
		err = nil
	}
	return it.value, it.has, l.status, errors.Join(err, it.wrong, it.err)
}

// Result is the answer for one key of a batch.
type Result struct {
	Key    string
	Value  any
	Found  bool
	Err    error
	Size   int // of the entry that was stored
	Status Status
}

// GetMany answers for distinct keys and hands the results to take. The error
// joins those of the keys, each once; it is ctx's alone if that ended.
func (c *Class) GetMany(ctx context.Context, keys []string, load Loader, o *Options, take func(Result)) (Status, error) {
	l := c.lookup(load, o)
	l.status.State = Hit // of no keys
	most := chunkKeys
	if o.Warm {
		c.e.Stored(ctx) // else it would be loaded twice
		most = warmKeys
	}
	var errs []error
	keys = l.notLocal(keys, take)
	for len(keys) > 0 {
		n := min(len(keys), most, c.stats.expected(chunkBytes))
		items, err := l.chunk(ctx, keys[:n])
		if errors.Is(err, client.ErrTooLarge) && n > 1 {
			most = n / 2
			continue
		}
		keys = keys[n:]
		errs = append(errs, err)
		for _, it := range items {
			l.merge(it)
			if it.err != nil && !errors.Is(it.err, ErrNotFound) && !o.Warm {
				errs = append(errs, it.err)
			}
			take(Result{Key: it.key, Value: it.value, Found: it.has, Err: it.err, Size: it.size, Status: it.status})
		}
		if o.Warm && err != nil && !errors.Is(err, ErrTags) {
			break // the cache is out of reach: load nothing more
		}
		if ctx.Err() != nil {
			return l.status, ctx.Err()
		}
	}
	return l.status, Join(errs...)
}

// notLocal hands out what the local cache has and returns the other keys.
func (l *lookup) notLocal(keys []string, take func(Result)) []string {
	if l.c.e.cfg.Local == nil || l.o.Warm {
		return keys
	}
	var rest []string
	for _, k := range keys {
		value, st, ok := l.c.Local(k, l.o)
		if !ok {
			rest = append(rest, k)
			continue
		}
		l.merged(&st)
		take(Result{Key: k, Value: value, Found: true, Status: st})
	}
	return rest
}

// chunk answers for the keys of one command.
func (l *lookup) chunk(ctx context.Context, keys []string) ([]*item, error) {
	items := make([]*item, len(keys))
	for i, k := range keys {
		items[i] = &item{query: l.c.query(k, l.o)}
		if err := items[i].wrong; err != nil && l.o.Warm {
			return nil, err
		}
	}
	if err := l.answer(ctx, items); err != nil {
		return nil, err
	}
	return items, nil
}
