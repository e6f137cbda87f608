package strategies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// The first promise, checked over schedules. Every request stops before it is
// executed and again before its answer is delivered, every loader and save
// stops before and after it touches the database; a scheduler releases one of
// them at a time. A schedule is the list of its choices, so that each can be
// run again.

// world is one run of a scenario.
type world struct {
	t     testing.TB
	srv   *upstashtest.Server
	rnd   *rand.Rand
	crash float64 // chance that a request or an answer is lost

	hold int                               // the place of the stop that is held to the last
	lose func(proc int, label string) bool // requests that this scenario wants lost

	mu      sync.Mutex
	waiting []*gate
	steps   []step
	seq     int
	over    bool

	history  []int  // values in the order in which the database took them
	floor    int    // index in history that readers must not fall behind
	own      [2]int // the same by the process that confirmed it
	bad      []string
	reads    int
	hits     int
	failures int

	lags      bool // reads are answered by a replica
	impatient bool // callers have deadlines, and time passes
}

type gate struct {
	label string
	proc  int
	seq   int
	open  chan bool // false: the request is lost
	held  bool      // waits until nothing else can go on
}

// stop waits until the scheduler lets it go on. proc is the process in which
// that is, by the number of its store.
func (w *world) stop(proc int, label string) bool {
	g := &gate{label: label, proc: proc, open: make(chan bool)}
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return true
	}
	w.seq++
	g.seq = w.seq
	g.held = g.seq == w.hold
	w.waiting = append(w.waiting, g)
	w.mu.Unlock()
	return <-g.open
}

// roundTrip lets the scheduler decide when a request of a process is executed
// and when its answer comes, and whether.
func (w *world) roundTrip(proc int, inner http.RoundTripper) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		label := summary(string(body))
		r = r.Clone(context.WithoutCancel(r.Context()))
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !w.stop(proc, "send "+label) || w.lose != nil && w.lose(proc, label) {
			return nil, errors.New("connection reset")
		}
		resp, err := inner.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		if !w.stop(proc, "answer "+label) {
			return nil, errors.New("connection reset")
		}
		resp.Body = io.NopCloser(bytes.NewReader(answer))
		return resp, nil
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// summary names a request by its commands and keys, without random tokens.
func summary(body string) string {
	var words []string
	for _, w := range strings.Split(body, `"`) {
		if w == "MGET" || w == "SET" || w == "MSETEX" || strings.Contains(w, ":") && len(w) < 40 {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// read is the database as a loader sees it.
func (w *world) read(proc int, label string) item {
	w.stop(proc, "load "+label)
	w.mu.Lock()
	n := w.history[len(w.history)-1]
	w.mu.Unlock()
	w.stop(proc, "loaded "+label)
	return item{N: n}
}

// commit changes the database and returns the place of the change.
func (w *world) commit(value int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, value)
	return len(w.history) - 1
}

func (w *world) confirmed(proc, place int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor = max(w.floor, place)
	w.own[proc] = max(w.own[proc], place)
}

// pending notes a change whose invalidation a process knows of and Redis may not.
func (w *world) pending(proc, place int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.own[proc] = max(w.own[proc], place)
}

// check reads through get in a process and compares what it brings with the
// floor at the time it began: what was confirmed to anybody, and what its own
// process knows of. Behind a replica only the second can be asked for.
func (w *world) check(proc int, who string, get func(*strategies.Status) (item, error)) {
	w.stop(proc, "start "+who)
	w.mu.Lock()
	floor := max(w.floor, w.own[proc])
	if w.lags {
		floor = w.own[proc]
	}
	w.mu.Unlock()
	var st strategies.Status
	v, err := get(&st)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if w.impatient && errors.Is(err, context.DeadlineExceeded) {
		return
	}
	if err != nil {
		w.failures++
		w.bad = append(w.bad, fmt.Sprintf("%s: the loader succeeded and the caller got %v", who, err))
		return
	}
	if st.State == strategies.Hit {
		w.hits++
	}
	if place := slices.Index(w.history, v.N); place < floor {
		w.bad = append(w.bad, fmt.Sprintf("%s got value %d (place %d) as %s %s, but place %d was confirmed before it began",
			who, v.N, place, st.State, st.Reason, floor))
	}
}

// scenario starts its actors as goroutines and returns.
type scenario struct {
	name  string
	store func(*strategies.StoreConfig)
	procs int // stores that share the database
	run   func(w *world, stores []*strategies.Store, actor func(func()))
	lossy bool
	lag   time.Duration                            // of the replica that answers reads
	lose  func() func(proc int, label string) bool // made for each run
	dark  bool                                     // the cache cannot be reached, so that nothing can be a hit
	deep  bool                                     // few and short actors: all schedules with three deviations
}

// play runs a scenario once. choose picks one of n waiting gates.
func (s scenario) play(t testing.TB, w *world, choose func(n int) int) {
	w.history = []int{1000}
	w.lags = s.lag > 0
	if s.lose != nil {
		w.lose = s.lose()
	}
	w.srv = upstashtest.Run(t, inMemory, func(c *upstashtest.Config) { c.ReplicaLag = s.lag })
	stores := make([]*strategies.Store, max(s.procs, 1))
	for i := range stores {
		hc := &http.Client{Transport: w.roundTrip(i, w.srv.HTTPClient().Transport)}
		c, err := client.New(client.Config{URL: w.srv.URL, Token: w.srv.Token, HTTPClient: hc, Logger: quiet, MaxRetries: -1, DisableTelemetry: true})
		require.NoError(t, err)
		cfg := strategies.StoreConfig{Logger: quiet, Executor: strategies.Pool(16)}
		if s.store != nil {
			s.store(&cfg)
		}
		stores[i], err = strategies.NewStore(c, cfg)
		require.NoError(t, err)
	}
	running := 0
	actor := func(f func()) {
		running++
		go func() {
			f()
			w.mu.Lock()
			running--
			w.mu.Unlock()
		}()
	}
	s.run(w, stores, actor)
	for {
		synctest.Wait()
		w.mu.Lock()
		gates, left := w.waiting, running
		w.mu.Unlock()
		if len(gates) == 0 {
			if left == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond) // a retry's pause, or a timeout
			continue
		}
		free := len(gates)
		if w.hold > 0 && free > 1 && slices.ContainsFunc(gates, func(g *gate) bool { return g.held }) {
			free--
		}
		w.release(choose(free))
	}
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	for _, st := range stores {
		if err := st.Close(context.Background()); err != nil && !s.lossy {
			t.Error(err)
		}
	}
}

func (w *world) release(i int) {
	w.mu.Lock()
	slices.SortFunc(w.waiting, func(a, b *gate) int {
		if a.held != b.held {
			if a.held {
				return 1
			}
			return -1
		}
		if c := strings.Compare(a.label, b.label); c != 0 {
			return c
		}
		return a.seq - b.seq
	})
	g := w.waiting[i]
	w.steps = append(w.steps, step{open: slices.Clone(w.waiting), taken: g})
	w.waiting = slices.Delete(w.waiting, i, i+1)
	w.mu.Unlock()
	if g.label == tick {
		time.Sleep(tickLength)
	}
	request := strings.HasPrefix(g.label, "send ") || strings.HasPrefix(g.label, "answer ")
	g.open <- !(request && w.crash > 0 && w.rnd.Float64() < w.crash)
}

// step is one choice of a schedule that was played.
type step struct {
	open  []*gate // what could go on
	taken *gate
}

// tick is a step in which nothing happens but time.
const (
	tick       = "time passes"
	tickLength = 400 * time.Millisecond
)

// passes lets the scheduler decide when time passes.
func (w *world) passes(times int) func() {
	return func() {
		for range times {
			w.stop(-1, tick)
		}
	}
}

// commute reports whether two steps of different processes lead to the same
// state in either order, so that one of the two need not be played. It says
// no where it does not know.
func commute(a, b *gate) bool {
	if a.proc == b.proc || a.proc < 0 || b.proc < 0 {
		return false
	}
	// What the answer to a read, or the end of a load, wakes is in its own process.
	if local(a) || local(b) {
		return true
	}
	return readOnly(a) && readOnly(b)
}

// local steps touch nothing but their own process.
func local(g *gate) bool {
	return strings.HasPrefix(g.label, "answer MGET") && !strings.Contains(g.label, "SET ") || strings.HasPrefix(g.label, "loaded ")
}

// readOnly steps leave database, Redis and floor as they are.
func readOnly(g *gate) bool {
	return strings.HasPrefix(g.label, "send MGET") && !strings.Contains(g.label, "SET ") ||
		strings.HasPrefix(g.label, "load ") || strings.HasPrefix(g.label, "start ")
}

// same reports whether taking a gate at a step of a played schedule, and going
// on as before, is that schedule again: the gate was taken later on, and
// commutes with all that was taken before it.
func same(steps []step, at int, early *gate) bool {
	for _, s := range steps[at:] {
		if s.taken == early {
			return true
		}
		if !commute(s.taken, early) {
			return false
		}
	}
	return false
}

// result of many schedules.
type result struct{ schedules, pruned, reads, hits, violations int }

// explore runs all schedules that leave the first choice at most deviations
// times (but those that are the same as another), and then random ones, half of
// which hold one step to the last.
func (s scenario) explore(t *testing.T, deviations, random int) result {
	var total result
	note := func(w *world, how string) {
		total.schedules++
		total.reads += w.reads
		total.hits += w.hits
		total.violations += len(w.bad)
		if len(w.bad) > 0 && total.violations == len(w.bad) {
			t.Logf("%s, first violation, schedule %s: %s", s.name, how, w.bad[0])
		}
	}
	var visit func(prefix []int, left int)
	visit = func(prefix []int, left int) {
		var steps []step
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t}
			s.play(t, w, func(n int) int {
				if i := len(w.steps); i < len(prefix) {
					return min(prefix[i], n-1)
				}
				return 0
			})
			steps = w.steps
			note(w, fmt.Sprint(prefix))
		})
		if left == 0 {
			return
		}
		for at := len(prefix); at < len(steps); at++ {
			for choice := 1; choice < len(steps[at].open); choice++ {
				if same(steps, at, steps[at].open[choice]) {
					total.pruned++
					continue
				}
				next := append(slices.Clone(prefix), make([]int, at-len(prefix))...)
				visit(append(next, choice), left-1)
			}
		}
	}
	visit(nil, deviations)
	for i := range random {
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t, rnd: rand.New(rand.NewPCG(uint64(i), 7))}
			if s.lossy && i%2 == 1 {
				w.crash = 0.15
			}
			if i%4 > 1 { // the rarest schedules are those in which one step takes very long
				w.hold = 1 + w.rnd.IntN(40)
			}
			s.play(t, w, w.rnd.IntN)
			note(w, "random "+strconv.Itoa(i))
		})
	}
	return total
}

// effort is how far to go: a little in every test run, far in a soak.
func effort(t *testing.T) (deviations, random int) {
	switch {
	case os.Getenv("RESTASH_SOAK") != "":
		return 2, 100_000 / 16
	case testing.Short(), raced: // the schedules are the same ones, ten times slower
		return 1, 50
	}
	return 1, 300
}
