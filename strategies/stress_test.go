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
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// Two processes and a real Redis: this test binary starts itself a second
// time. The database is a file of versions that both share by its offset:
// each change appends a byte, so that its size is the version.

const stressEnv = "RESTASH_STRESS_CHILD"

func TestStressOnRealRedis(t *testing.T) {
	if os.Getenv(stressEnv) != "" {
		t.Skip("this is the child")
	}
	addr := startRedis(t)
	engine, err := redisengine.New(t.Context(), "redis://"+addr)
	require.NoError(t, err)
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.Engine = engine })
	seconds := 2 * time.Second
	switch {
	case os.Getenv("RESTASH_SOAK") != "":
		seconds = time.Minute
	case strings.Contains(os.Getenv("RESTASH_REQUIRE"), "redis"):
		seconds = 10 * time.Second
	}
	for _, naive := range []bool{false, true} {
		dir := t.TempDir()
		job := stressJob{URL: srv.URL, Token: srv.Token, Dir: dir, For: seconds, Naive: naive}
		child := job.spawn(t)
		here := job.run(t)
		there := child()
		hits, loads, old := here.Hits+there.Hits, here.Loads+there.Loads, here.Outdated+there.Outdated
		name := "restash"
		if naive {
			name = "DEL and SET"
		}
		t.Logf("%-11s %d hits, %d loads, %d outdated", name, hits, loads, old)
		assert.NotZero(t, hits)
		if naive {
			assert.NotZero(t, old, "the same load on what most caches do must show the defect")
			continue
		}
		assert.Zero(t, old)
	}
}

// TestStressChild is the second process.
func TestStressChild(t *testing.T) {
	raw := os.Getenv(stressEnv)
	if raw == "" {
		t.Skip("only as a child of TestStressOnRealRedis")
	}
	var job stressJob
	require.NoError(t, json.Unmarshal([]byte(raw), &job))
	out, err := json.Marshal(job.run(t))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(job.Dir, "child.json"), out, 0o600))
}

type stressJob struct {
	URL, Token, Dir string
	For             time.Duration
	Naive           bool
}

type stressResult struct{ Hits, Loads, Outdated int64 }

func (j stressJob) spawn(t *testing.T) func() stressResult {
	raw, err := json.Marshal(j)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestStressChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), stressEnv+"="+string(raw))
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	return func() stressResult {
		require.NoError(t, cmd.Wait(), output.String())
		out, err := os.ReadFile(filepath.Join(j.Dir, "child.json"))
		require.NoError(t, err)
		var r stressResult
		require.NoError(t, json.Unmarshal(out, &r))
		return r
	}
}

const stressKeys = 4

// version of a key in the shared database.
func (j stressJob) version(key int) int {
	info, err := os.Stat(filepath.Join(j.Dir, fmt.Sprint("v", key)))
	if err != nil {
		return 0
	}
	return int(info.Size())
}

func (j stressJob) bump(key int) error {
	f, err := os.OpenFile(filepath.Join(j.Dir, fmt.Sprint("v", key)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write([]byte{1})
	return err
}

// confirmed is the version whose invalidation has returned, in either process:
// kept in a second file per key, whose size is never more than that.
func (j stressJob) confirmed(key int) int {
	raw, err := os.ReadFile(filepath.Join(j.Dir, fmt.Sprint("c", key)))
	if err != nil {
		return 0
	}
	var n int
	_, _ = fmt.Sscan(string(raw), &n)
	return n
}

func (j stressJob) run(t *testing.T) stressResult {
	c, err := client.New(client.Config{URL: j.URL, Token: j.Token, Logger: quiet})
	require.NoError(t, err)
	defer c.Close()
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: quiet, Budget: 10 * time.Second})
	require.NoError(t, err)
	defer func() { assert.NoError(t, store.Close(context.Background())) }()
	cache := strategies.New[int](store, strategies.Config{Name: "v", TTL: time.Hour})
	child := os.Getenv(stressEnv) != ""
	var r stressResult
	var hits, loads, outdated atomic.Int64
	end := time.Now().Add(j.For)
	var wg sync.WaitGroup
	for w := range 16 { // 32 in both processes
		rnd := rand.New(rand.NewPCG(uint64(w), uint64(os.Getpid())))
		wg.Go(func() {
			for time.Now().Before(end) {
				key := rnd.IntN(stressKeys)
				floor := j.confirmed(key)
				v, hit, err := j.get(c, cache, key, &loads)
				if err != nil {
					t.Errorf("get: %v", err)
					return
				}
				if hit {
					hits.Add(1)
				}
				if v < floor {
					outdated.Add(1)
				}
			}
		})
	}
	if !child { // one writer, 100 changes a second
		wg.Go(func() {
			for time.Now().Before(end) {
				key := rand.IntN(stressKeys)
				assert.NoError(t, j.bump(key))
				v := j.version(key)
				assert.NoError(t, j.invalidate(store, c, cache, key))
				tmp := filepath.Join(j.Dir, "tmp")
				assert.NoError(t, os.WriteFile(tmp, []byte(fmt.Sprint(v)), 0o600))
				assert.NoError(t, os.Rename(tmp, filepath.Join(j.Dir, fmt.Sprint("c", key))))
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	wg.Wait()
	r.Hits, r.Loads, r.Outdated = hits.Load(), loads.Load(), outdated.Load()
	return r
}

func (j stressJob) load(key int, loads *atomic.Int64) int {
	loads.Add(1)
	v := j.version(key)
	time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
	return v
}

func (j stressJob) get(c *client.Client, cache *strategies.Cache[int], key int, loads *atomic.Int64) (int, bool, error) {
	ctx := context.Background()
	if !j.Naive {
		var st strategies.Status
		v, err := cache.Get(ctx, fmt.Sprint(key), func(context.Context, string) (int, error) { return j.load(key, loads), nil }, strategies.Report(&st))
		return v, st.State == strategies.Hit, err
	}
	got, err := client.Do(ctx, c, command.MGet(fmt.Sprint("naive:", key)))
	if err != nil {
		return 0, false, err
	}
	if got[0].OK {
		var v int
		_, err := fmt.Sscan(got[0].Value, &v)
		return v, true, err
	}
	v := j.load(key, loads)
	_, err = c.Set(ctx, fmt.Sprint("naive:", key), v, command.EX(time.Hour))
	return v, false, err
}

func (j stressJob) invalidate(store *strategies.Store, c *client.Client, cache *strategies.Cache[int], key int) error {
	ctx := context.Background()
	if !j.Naive {
		_, err := store.Invalidate(ctx, invalidate.Key(cache, fmt.Sprint(key)))
		return err
	}
	_, err := c.Del(ctx, fmt.Sprint("naive:", key))
	return err
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
