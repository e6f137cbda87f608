package strategies_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// Two processes, a real Redis and histories that porcupine judges: this test
// binary starts itself a second time.

const stressEnv = "RESTASH_STRESS_CHILD"

// stress is one way to make life hard.
type stress struct {
	name   string
	rough  bool // a network that delays, resets and loses answers; a process that is stopped
	strict bool // strict mode, and keys that are evicted
	naive  bool // DEL and SET in the place of this package
}

func stresses() []stress {
	return []stress{
		{name: "calm"},
		{name: "rough network, stopped process", rough: true},
		{name: "strict with evictions", strict: true},
		{name: "strict with evictions, rough network", strict: true, rough: true},
		{name: "DEL and SET", naive: true},
	}
}

// stressSize is how many operations one stress has, of both processes.
func stressSize() (operations, keys int) {
	switch {
	case os.Getenv("RESTASH_SOAK") != "":
		return 250_000, 128
	case raced: // CI runs it both ways
		return 1_500, 8
	case strings.Contains(os.Getenv("RESTASH_REQUIRE"), "redis"):
		return 26_000, 16
	}
	return 6_000, 8
}

func TestPromiseOnRealRedis(t *testing.T) {
	for _, s := range stresses() {
		t.Run(s.name, func(t *testing.T) {
			history := s.run(t)
			bad, example := broken(t, history)
			n := count(history)
			t.Logf("%d reads (%d hits), %d changes, %d confirmed; %d keys break the promise", n[reads], hitsIn(history), n[changes], n[confirm], bad)
			assert.NotZero(t, hitsIn(history), "a cache that never hits keeps every promise")
			assert.NotZero(t, n[confirm])
			if s.naive {
				assert.NotZero(t, bad, "what most caches do must be found out, or the check proves nothing")
				return
			}
			assert.Zero(t, bad, example)
		})
	}
}

func count(history []event) map[act]int {
	n := map[act]int{}
	for _, e := range history {
		n[e.Act]++
	}
	return n
}

func hitsIn(history []event) (hits int) {
	for _, e := range history {
		if e.From == strategies.Hit.String() {
			hits++
		}
	}
	return hits
}

// run starts Redis, the local server before it and the second process, and
// returns what both saw.
func (s stress) run(t *testing.T) []event {
	addr := startRedis(t)
	engine, err := redisengine.New(t.Context(), "redis://"+addr)
	require.NoError(t, err)
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.Engine = engine })
	operations, keys := stressSize()
	job := stressJob{URL: srv.URL, Token: srv.Token, Dir: t.TempDir(), Operations: operations / 2, Keys: keys, Strict: s.strict, Naive: s.naive}
	if s.rough {
		job.Budget = 200 * time.Millisecond
		job.URL = "http://" + roughProxy(t, strings.TrimPrefix(srv.URL, "http://"))
	}
	child := job.spawn(t)
	over := make(chan struct{})
	var wg sync.WaitGroup
	if s.rough {
		wg.Go(func() { stopNowAndThen(child.cmd.Process, over) })
	}
	if s.strict {
		wg.Go(func() { evict(t, srv, over) })
	}
	here := job.run(t)
	there := child.wait(t)
	close(over)
	wg.Wait()
	return job.places(t, append(here, there...))
}

// stopNowAndThen freezes a process as a platform does.
func stopNowAndThen(p *os.Process, over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(100+rand.IntN(300)) * time.Millisecond):
		}
		_ = p.Signal(syscall.SIGSTOP)
		time.Sleep(time.Duration(20+rand.IntN(200)) * time.Millisecond)
		_ = p.Signal(syscall.SIGCONT)
	}
}

// evict removes random keys, as a full database does.
func evict(t *testing.T, srv *upstashtest.Server, over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		case <-time.After(5 * time.Millisecond):
		}
		key, err := srv.Do("RANDOMKEY")
		if assert.NoError(t, err) && len(key.Bytes) > 0 {
			_, err = srv.Do("DEL", string(key.Bytes))
			assert.NoError(t, err)
		}
	}
}

// TestStressChild is the second process.
func TestStressChild(t *testing.T) {
	raw := os.Getenv(stressEnv)
	if raw == "" {
		t.Skip("only as a child of TestPromiseOnRealRedis")
	}
	var job stressJob
	require.NoError(t, json.Unmarshal([]byte(raw), &job))
	out, err := json.Marshal(job.run(t))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(job.Dir, "child.json"), out, 0o600))
}

// stressJob is what one process does.
type stressJob struct {
	URL, Token, Dir  string
	Operations, Keys int
	Strict, Naive    bool
	// Budget is short where the network loses answers, so that the operations
	// are not spent on waiting.
	Budget time.Duration
}

type stressChild struct {
	cmd    *exec.Cmd
	output *strings.Builder
	dir    string
}

func (j stressJob) spawn(t *testing.T) stressChild {
	raw, err := json.Marshal(j)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestStressChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), stressEnv+"="+string(raw))
	c := stressChild{cmd: cmd, output: &strings.Builder{}, dir: j.Dir}
	cmd.Stdout, cmd.Stderr = c.output, c.output
	require.NoError(t, cmd.Start())
	return c
}

func (c stressChild) wait(t *testing.T) []event {
	require.NoError(t, c.cmd.Wait(), c.output.String())
	out, err := os.ReadFile(filepath.Join(c.dir, "child.json"))
	require.NoError(t, err)
	var history []event
	require.NoError(t, json.Unmarshal(out, &history))
	return history
}

// run works until this process has done its part.
func (j stressJob) run(t *testing.T) []event {
	c, err := client.New(client.Config{URL: j.URL, Token: j.Token, Logger: quiet})
	require.NoError(t, err)
	defer c.Close()
	w := j.worker(t, c)
	defer w.end(t)
	var left atomic.Int64
	left.Store(int64(j.Operations))
	latest := time.Now().Add(3 * time.Minute)
	const clients = 16
	var wg sync.WaitGroup
	logs := make([][]event, clients)
	for i := range clients {
		rnd := rand.New(rand.NewPCG(uint64(i), uint64(os.Getpid())))
		wg.Go(func() {
			l := &eventLog{client: os.Getpid()<<8 + i}
			for left.Add(-1) >= 0 && time.Now().Before(latest) {
				key := rnd.IntN(j.Keys)
				switch n := rnd.IntN(100); {
				case n < 3:
					w.invalidate(l, key, rnd.IntN(4) == 0)
				case n < 5:
					w.write(l, key)
				default:
					w.read(l, key, rnd)
				}
			}
			logs[i] = l.events
		})
	}
	wg.Wait()
	var all []event
	for _, l := range logs {
		all = append(all, l...)
	}
	return all
}

// eventLog is the history of one client.
type eventLog struct {
	client int
	events []event
}

func (l *eventLog) add(e event, start time.Time) {
	e.Client, e.Start, e.End = l.client, start.UnixNano(), time.Now().UnixNano()
	l.events = append(l.events, e)
}

// startRedis starts a redis-server on a free port, or skips.
func startRedis(t *testing.T) string {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if strings.Contains(os.Getenv("RESTASH_REQUIRE"), "redis") {
			t.Fatal("redis-server is required and not installed")
		}
		t.Skip("redis-server is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	cmd := exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 5*time.Second, 20*time.Millisecond)
	return addr
}

// deadline gives one read in eight less time than the network may take.
func deadline(rnd *rand.Rand) (context.Context, context.CancelFunc) {
	if rnd.IntN(8) > 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(5+rnd.IntN(60))*time.Millisecond)
}

func stressKey(key int) string { return fmt.Sprint(key) }
