package strategies_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// hardScenarios are those in which something is amiss: Redis, the time that
// callers have, or what one process knows and another does not.
func hardScenarios() []scenario {
	return []scenario{
		{name: "two readers, a writer, an invalidator", procs: 2, deep: true, run: fourActors},
		{name: "pending in its own process", procs: 1, lossy: true, lose: first(2, 0, "SET"), run: func(w *world, ss []*strategies.Store, actor func(func())) {
			c := plain(ss, strategies.Config{Tags: []string{"all"}})
			for _, who := range []string{"r", "s"} {
				actor(reader(w, 0, who, c[0]))
			}
			actor(invalidator(w, 0, ss[0], invalidate.Tags("all")))
		}},
		{name: "readers under an open breaker", procs: 2, dark: true, lossy: true, lose: first(1, 0, "MGET"), store: opensAtOnce, run: func(w *world, ss []*strategies.Store, actor func(func())) {
			c := plain(ss, strategies.Config{Tags: []string{"all"}})
			for _, who := range []string{"r", "s", "q"} {
				actor(reader(w, 0, who, c[0]))
			}
			actor(invalidator(w, 1, ss[1], invalidate.Tags("all")))
		}},
		{name: "a replica that lags, one process", procs: 1, lag: 300 * time.Millisecond, run: func(w *world, ss []*strategies.Store, actor func(func())) {
			c := plain(ss, strategies.Config{Tags: []string{"all"}})
			for _, who := range []string{"r", "s"} {
				actor(reader(w, 0, who, c[0]))
			}
			actor(invalidator(w, 0, ss[0], invalidate.Tags("all")))
		}},
		{name: "a replica that lags, write-through", procs: 1, lag: 300 * time.Millisecond, run: func(w *world, ss []*strategies.Store, actor func(func())) {
			c := plain(ss, strategies.Config{})
			for _, who := range []string{"r", "s"} {
				actor(reader(w, 0, who, c[0]))
			}
			actor(writer(w, 0, c[0], 1, false))
		}},
		{name: "callers with short deadlines", procs: 2, run: shortDeadlines},
		{name: "a late tag while time passes", procs: 2, lossy: true, run: func(w *world, ss []*strategies.Store, actor func(func())) {
			lateTag(w, ss, actor)
			actor(w.passes(4))
		}},
	}
}

// fourActors are short, so that all schedules with three deviations can be played.
func fourActors(w *world, ss []*strategies.Store, actor func(func())) {
	c := plain(ss, strategies.Config{Tags: []string{"all"}})
	for proc := range 2 {
		name := fmt.Sprint("r", proc)
		actor(func() {
			w.check(proc, name, func(st *strategies.Status) (item, error) {
				return c[proc].Get(bg, "a:b", func(context.Context, string) (item, error) { return w.read(proc, name), nil }, strategies.Report(st))
			})
		})
	}
	actor(func() {
		writer(w, 0, c[0], 1, false)()
		w.check(0, "after", func(st *strategies.Status) (item, error) {
			return c[0].Get(bg, "a:b", func(context.Context, string) (item, error) { return w.read(0, "after"), nil }, strategies.Report(st))
		})
	})
	actor(func() {
		w.stop(1, "change")
		place := w.commit(2)
		if _, err := ss[1].Invalidate(bg, invalidate.Tags("all")); err == nil {
			w.confirmed(1, place)
		}
	})
}

func opensAtOnce(c *strategies.StoreConfig) { c.Breaker = breaker.Config{Failures: 1, Open: time.Hour} }

// first loses the first n requests of a process that hold a command.
func first(n, proc int, command string) func() func(int, string) bool {
	return func() func(int, string) bool {
		lost := 0
		return func(p int, label string) bool {
			if p != proc || lost == n || !strings.Contains(label, command) {
				return false
			}
			lost++
			return true
		}
	}
}

func shortDeadlines(w *world, ss []*strategies.Store, actor func(func())) {
	w.impatient = true
	c := plain(ss, strategies.Config{Tags: []string{"all"}})
	for i, who := range []string{"r", "s", "q"} {
		proc := i / 2
		actor(func() {
			for n := range 2 {
				name := fmt.Sprint(who, n)
				w.check(proc, name, func(st *strategies.Status) (item, error) {
					ctx, cancel := context.WithTimeout(bg, 3*tickLength/2)
					defer cancel()
					return c[proc].Get(ctx, "a:b", func(context.Context, string) (item, error) { return w.read(proc, name), nil }, strategies.Report(st))
				})
			}
		})
	}
	actor(invalidator(w, 1, ss[1], invalidate.Tags("all")))
	actor(w.passes(4))
}
