package strategies_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

var bg = context.Background()

// reader reads key twice, one after the other.
func reader(w *world, proc int, who string, c *strategies.Cache[item], opts ...strategies.Option) func() {
	return func() {
		for i := range 2 {
			name := fmt.Sprint(who, i)
			w.check(proc, name, func(st *strategies.Status) (item, error) {
				return c.Get(bg, "a:b", func(context.Context, string) (item, error) { return w.read(proc, name), nil },
					append(opts, strategies.Report(st))...)
			})
		}
	}
}

// invalidator changes the database and invalidates, twice.
func invalidator(w *world, proc int, s *strategies.Store, target invalidate.Target) func() {
	return func() {
		for i := range 2 {
			w.stop(proc, "change")
			place := w.commit(i + 1)
			if _, err := s.Invalidate(bg, target); err == nil {
				w.confirmed(proc, place)
			} else {
				w.pending(proc, place)
			}
		}
	}
}

// writer saves through the cache; a failing save commits and says that it failed.
func writer(w *world, proc int, c *strategies.Cache[item], value int, fails bool) func() {
	return func() {
		w.stop(proc, fmt.Sprint("begin writer ", value))
		place := 0
		err := c.WriteThrough(bg, "a:b", item{N: value}, func(_ context.Context, saved item) (item, error) {
			w.stop(proc, fmt.Sprint("save ", value))
			place = w.commit(value)
			w.stop(proc, fmt.Sprint("saved ", value))
			if fails {
				return saved, errSource
			}
			return saved, nil
		})
		if err == nil || errors.Is(err, errSource) && c.Store().Stats().Pending == 0 {
			w.confirmed(proc, place)
		} else {
			w.pending(proc, place)
		}
	}
}

func plain(ss []*strategies.Store, cfg strategies.Config) []*strategies.Cache[item] {
	cfg.Name, cfg.TTL = "i", time.Hour
	caches := make([]*strategies.Cache[item], len(ss))
	for i, s := range ss {
		caches[i] = strategies.New[item](s, cfg)
	}
	return caches
}

func invalidation(name string, target func(c *strategies.Cache[item]) invalidate.Target, opts ...strategies.Option) scenario {
	return scenario{name: name, procs: 2, lossy: true, run: func(w *world, ss []*strategies.Store, actor func(func())) {
		c := plain(ss, strategies.Config{Tags: []string{"all"}})
		actor(reader(w, 0, "r", c[0], opts...))
		actor(reader(w, 0, "s", c[0], opts...))
		actor(reader(w, 1, "q", c[1], opts...))
		actor(invalidator(w, 1, ss[1], target(c[1])))
	}}
}

func strict(c *strategies.StoreConfig) { c.Strict = true }

func scenarios() []scenario {
	list := []scenario{
		invalidation("key", func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Key(c, "a:b") }),
		invalidation("tag", func(*strategies.Cache[item]) invalidate.Target { return invalidate.Tags("all") }),
		invalidation("call's tag", func(*strategies.Cache[item]) invalidate.Target { return invalidate.Tags("one") }, strategies.Tags("one")),
		invalidation("prefix", func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Prefix(c, "a") }),
		invalidation("handle", func(c *strategies.Cache[item]) invalidate.Target { return invalidate.Prefix(c) }),
		invalidation("all", func(*strategies.Cache[item]) invalidate.Target { return invalidate.All() }),
	}
	same := list[1]
	same.name, same.procs = "tag, one process", 1
	same.run = func(w *world, ss []*strategies.Store, actor func(func())) {
		c := plain(ss, strategies.Config{Tags: []string{"all"}})
		for _, who := range []string{"r", "s", "q"} {
			actor(reader(w, 0, who, c[0]))
		}
		actor(invalidator(w, 0, ss[0], invalidate.Tags("all")))
	}
	return append(list, same,
		scenario{name: "late tag", procs: 2, lossy: true, run: lateTag},
		scenario{name: "hard in a store with soft", procs: 2, store: func(c *strategies.StoreConfig) { c.Soft = true }, run: softAndHard},
		scenario{name: "write-through, two writers", procs: 2, lossy: true, run: twoWriters(false)},
		scenario{name: "write-through, a failing save", procs: 2, lossy: true, run: twoWriters(true)},
		scenario{name: "write-through, one process", procs: 1, lossy: true, run: func(w *world, ss []*strategies.Store, actor func(func())) {
			c := plain(ss, strategies.Config{})
			actor(reader(w, 0, "r", c[0]))
			actor(reader(w, 0, "s", c[0]))
			actor(writer(w, 0, c[0], 1, false))
		}},
		scenario{name: "refresh of a stale value", procs: 2, lossy: true, run: refreshing},
		scenario{name: "batches", procs: 2, lossy: true, run: batches},
		scenario{name: "strict, with evictions", procs: 2, store: strict, run: evictions},
		scenario{name: "strict, everything at once", procs: 2, store: strict, run: func(w *world, ss []*strategies.Store, actor func(func())) {
			twoWriters(false)(w, ss, actor)
			c := plain(ss, strategies.Config{Tags: []string{"all"}})
			actor(func() {
				w.stop(1, "change")
				place := w.commit(7)
				if _, err := ss[1].Invalidate(bg, invalidate.Join(invalidate.Tags("all"), invalidate.Key(c[1], "a:b"))); err == nil {
					w.confirmed(1, place)
				}
			})
			actor(func() {
				w.stop(-1, "evict")
				_, err := w.srv.Do("DEL", "restash:k:i:a:b", "restash:t:all")
				assert.NoError(w.t, err)
			})
		}},
		scenario{name: "strict write-through", procs: 2, store: strict, run: twoWriters(false)},
	)
}

func lateTag(w *world, ss []*strategies.Store, actor func(func())) {
	c := plain(ss, strategies.Config{})
	for i, who := range []string{"r", "s", "q"} {
		proc, cache := i/2, c[i/2]
		actor(func() {
			for n := range 2 {
				name := fmt.Sprint(who, n)
				w.check(proc, name, func(st *strategies.Status) (item, error) {
					return cache.Fetch(bg, "a:b", func(_ context.Context, l *strategies.Load[item]) (item, error) {
						v := w.read(proc, name)
						l.AddTags("late")
						return v, nil
					}, strategies.Report(st))
				})
			}
		})
	}
	actor(invalidator(w, 1, ss[1], invalidate.Tags("late")))
}

func softAndHard(w *world, ss []*strategies.Store, actor func(func())) {
	c := plain(ss, strategies.Config{Tags: []string{"all"}})
	actor(reader(w, 0, "r", c[0]))
	actor(reader(w, 1, "s", c[1]))
	actor(invalidator(w, 1, ss[1], invalidate.Tags("all")))
	actor(func() {
		w.stop(0, "soften")
		_, _ = ss[0].Invalidate(bg, invalidate.Soft(invalidate.Tags("all")))
	})
}

func twoWriters(fails bool) func(*world, []*strategies.Store, func(func())) {
	return func(w *world, ss []*strategies.Store, actor func(func())) {
		c := plain(ss, strategies.Config{})
		actor(reader(w, 0, "r", c[0]))
		actor(reader(w, 1, "s", c[1]))
		actor(writer(w, 0, c[0], 1, fails))
		actor(writer(w, 1, c[1], 2, false))
	}
}

func refreshing(w *world, ss []*strategies.Store, actor func(func())) {
	caches := make([]*strategies.Cache[item], len(ss))
	for i, s := range ss {
		caches[i] = strategies.New[item](s, strategies.Config{Name: "i", TTL: time.Millisecond, StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour, Tags: []string{"all"}})
	}
	actor(func() {
		reader(w, 0, "r", caches[0])()
		time.Sleep(2 * time.Millisecond)
		reader(w, 0, "t", caches[0])()
	})
	actor(func() {
		time.Sleep(3 * time.Millisecond)
		reader(w, 1, "s", caches[1])()
	})
	actor(invalidator(w, 1, ss[1], invalidate.Tags("all")))
}

func batches(w *world, ss []*strategies.Store, actor func(func())) {
	c := plain(ss, strategies.Config{Tags: []string{"all"}})
	for proc, cache := range c {
		actor(func() {
			for n := range 2 {
				name := fmt.Sprint("m", proc, n)
				w.check(proc, name, func(st *strategies.Status) (item, error) {
					m, err := cache.GetMany(bg, []string{"a:b", "x"}, func(_ context.Context, keys []string) (map[string]item, error) {
						v := w.read(proc, name)
						return map[string]item{"a:b": v, "x": v}, nil
					}, strategies.Report(st))
					return m["a:b"], err
				})
			}
		})
	}
	actor(reader(w, 0, "r", c[0]))
	actor(invalidator(w, 1, ss[1], invalidate.Tags("all")))
}

func evictions(w *world, ss []*strategies.Store, actor func(func())) {
	c := plain(ss, strategies.Config{Tags: []string{"all"}})
	actor(reader(w, 0, "r", c[0]))
	actor(reader(w, 1, "s", c[1]))
	actor(invalidator(w, 1, ss[1], invalidate.Tags("all")))
	actor(func() {
		w.stop(-1, "evict")
		_, err := w.srv.Do("DEL", "restash:t:all")
		assert.NoError(w.t, err)
	})
}

func TestFirstPromise(t *testing.T) {
	for _, s := range slices.Concat(scenarios(), hardScenarios()) {
		t.Run(s.name, func(t *testing.T) {
			deviations, random := effort(t)
			if s.deep && !raced && !testing.Short() {
				deviations = 3
			}
			r := s.explore(t, deviations, random)
			t.Logf("%d schedules (%d more are the same as one of them), %d reads, %d hits, %d violations", r.schedules, r.pruned, r.reads, r.hits, r.violations)
			assert.Zero(t, r.violations)
			if !s.dark {
				assert.NotZero(t, r.hits, "a cache that never hits keeps every promise")
			}
		})
	}
}

// What most caches do must fail under the same driver, or it proves nothing.
func TestFirstPromiseDriverFindsViolations(t *testing.T) {
	for _, s := range []scenario{
		{name: "DEL and SET", procs: 2, run: naive(false)},
		{name: "stamps taken after the load", procs: 2, run: naive(true)},
	} {
		t.Run(s.name, func(t *testing.T) {
			r := s.explore(t, 1, 200)
			t.Logf("%d schedules, %d reads, %d hits, %d violations", r.schedules, r.reads, r.hits, r.violations)
			assert.NotZero(t, r.violations)
		})
	}
}

// naive is cache-aside without snapshots: delete on change, or a stamp that is
// read when the value has been loaded.
func naive(stamps bool) func(*world, []*strategies.Store, func(func())) {
	return func(w *world, ss []*strategies.Store, actor func(func())) {
		get := func(proc int, c *client.Client, name string, st *strategies.Status) (item, error) {
			r, err := c.MGet(bg, "v:k", "s:k")
			if err != nil {
				return item{}, err
			}
			var n int
			var stamp string
			if r[0].OK {
				_, _ = fmt.Sscanf(r[0].Value, "%d %s", &n, &stamp)
				if stamp == "-"+r[1].Value {
					st.State = strategies.Hit
					return item{N: n}, nil
				}
			}
			v := w.read(proc, name)
			stamp = "-"
			if stamps {
				s, err := c.Get(bg, "s:k")
				if err != nil && !errors.Is(err, client.ErrNil) {
					return v, err
				}
				stamp += s
			}
			_, err = c.Set(bg, "v:k", fmt.Sprintf("%d %s", v.N, stamp), command.EX(time.Hour))
			return v, err
		}
		for proc, who := range []string{"r", "s"} {
			actor(func() {
				for n := range 2 {
					name := fmt.Sprint(who, n)
					w.check(proc, name, func(st *strategies.Status) (item, error) { return get(proc, ss[proc].Client(), name, st) })
				}
			})
		}
		actor(func() {
			for i := range 2 {
				w.stop(1, "change")
				place := w.commit(i + 1)
				var err error
				if stamps {
					_, err = ss[1].Client().Incr(bg, "s:k")
				} else {
					_, err = ss[1].Client().Del(bg, "v:k")
				}
				assert.NoError(w.t, err)
				w.confirmed(1, place)
			}
		})
	}
}
