//go:build !race && unix

package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	chaosClients = 32
	chaosWriters = 8 // each has an item of its own
)

// TestChaos kills the sample, its Redis and its PostgreSQL with SIGKILL, at
// random, under 32 clients. There is no 5xx but while the database is away, no
// body of another item, no version older than the last acknowledged write, and
// what was killed is of use again within three seconds of its start.
// RESTASH_CHAOS is how long it goes on, such as 2m.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a while")
	}
	lasts := 8 * time.Second
	if text := os.Getenv("RESTASH_CHAOS"); text != "" {
		var err error
		lasts, err = time.ParseDuration(text)
		require.NoError(t, err, "RESTASH_CHAOS")
	}
	c := newChaos(t)
	rnd := rand.New(rand.NewPCG(1, 0))
	var clients sync.WaitGroup
	for i := range chaosClients {
		clients.Go(func() { c.client(i) })
	}
	for begin, kills := time.Now(), 0; time.Since(begin) < lasts || kills < 3; kills++ {
		time.Sleep(time.Duration(300+rnd.IntN(700)) * time.Millisecond)
		// The first three kill each once, so that a short run has all of them.
		c.kill([]string{"redis", "dev", "database"}[pickOf(kills, rnd)])
	}
	close(c.end)
	clients.Wait()
	for i := range c.items {
		c.read(i)
	}
	c.report()
}

func pickOf(kills int, rnd *rand.Rand) int {
	if kills < 3 {
		return kills
	}
	return rnd.IntN(3)
}

// chaosItem is what one writer changes. Versions only grow.
type chaosItem struct {
	id               string
	acked, attempted atomic.Int64
}

type chaos struct {
	t        *testing.T
	client32 *http.Client
	url      string
	starts   map[string]func() func() // each returns how to kill it
	kills    map[string]func()
	items    []*chaosItem
	end      chan struct{}

	mu      sync.Mutex
	away    map[string][]*outage
	back    map[string][]time.Duration
	reads   atomic.Int64
	writes  atomic.Int64
	refused atomic.Int64
}

// outage is the time from a kill until what was killed is of use again.
type outage struct{ from, to time.Time }

func newChaos(t *testing.T) *chaos {
	dsn, startDatabase := startPostgres(t)
	redisPort, devPort := freePort(t), freePort(t)
	const token = "a-token-of-this-test"
	env := []string{"UPSTASH_REDIS_REST_URL=http://127.0.0.1:" + redisPort, "UPSTASH_REDIS_REST_TOKEN=" + token, "DATABASE_URL=" + dsn}
	killer := func(p *process, ready string) func() {
		p.until(ready)
		return func() { p.end(syscall.SIGKILL) }
	}
	c := &chaos{
		t: t, url: "http://127.0.0.1:" + devPort, end: make(chan struct{}), kills: map[string]func(){},
		away: map[string][]*outage{}, back: map[string][]time.Duration{},
		client32: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: chaosClients}, Timeout: 30 * time.Second},
		starts: map[string]func() func(){
			"database": startDatabase,
			"redis": func() func() {
				return killer(start(t, nil, "serve", "--addr", "127.0.0.1:"+redisPort, "--token", token), `^UPSTASH_REDIS_REST_URL=`)
			},
			"dev": func() func() {
				return killer(start(t, env, "dev", "--addr", "127.0.0.1:"+devPort, "--breaker-open", "500ms"), `^Ctrl-C`)
			},
		},
	}
	t.Cleanup(c.client32.CloseIdleConnections)
	for _, name := range []string{"database", "redis", "dev"} {
		c.kills[name] = c.starts[name]()
	}
	var list struct{ Extensions []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(send(t, http.MethodGet, c.url+"/api/extensions?limit=50", "").body), &list))
	require.GreaterOrEqual(t, len(list.Extensions), chaosWriters)
	for _, e := range list.Extensions[:chaosWriters] {
		c.items = append(c.items, &chaosItem{id: e.ID})
		c.write(len(c.items) - 1)
	}
	return c
}

// kill ends one process as a crash does, starts it again and waits until it is
// of use.
func (c *chaos) kill(name string) {
	o := &outage{from: time.Now()}
	c.mu.Lock()
	c.away[name] = append(c.away[name], o)
	c.mu.Unlock()
	c.kills[name]()
	c.kills[name] = c.starts[name]()
	started := time.Now()
	for n := 0; !c.works(name, n); n++ {
		if !assert.Less(c.t, time.Since(started), 30*time.Second, "%s is not back", name) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o.to = time.Now()
	c.back[name] = append(c.back[name], o.to.Sub(started))
}

// works asks for what needs the database and, of a Redis, for a hit.
func (c *chaos) works(name string, n int) bool {
	path := fmt.Sprintf("/api/extensions?search=probe%d-%d", time.Now().UnixNano(), n)
	if name == "redis" {
		path = "/api/stats" // no write here makes it invalid
	}
	status, _, state, err := c.ask(http.MethodGet, path, "")
	return err == nil && status == http.StatusOK && (name != "redis" || state == hit)
}

// was reports whether something was away at any time since begin.
func (c *chaos) was(name string, begin time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.away[name] {
		if o.to.IsZero() || o.to.After(begin) {
			return true
		}
	}
	return false
}

func (c *chaos) client(i int) {
	rnd := rand.New(rand.NewPCG(2, uint64(i)))
	for {
		select {
		case <-c.end:
			return
		case <-time.After(time.Duration(rnd.IntN(20)) * time.Millisecond):
		}
		if i < chaosWriters {
			c.write(i)
		} else {
			c.read(rnd.IntN(len(c.items)))
		}
	}
}

func (c *chaos) write(i int) {
	item := c.items[i]
	n := item.attempted.Add(1)
	begin := time.Now()
	status, body, _, err := c.ask(http.MethodPut, "/api/extensions/"+item.id, fmt.Sprintf(`{"description":"version %d"}`, n))
	if c.judge(begin, status, body, err) {
		item.acked.Store(n)
		c.writes.Add(1)
	}
}

func (c *chaos) read(i int) {
	item := c.items[i]
	least := item.acked.Load()
	begin := time.Now()
	status, body, state, err := c.ask(http.MethodGet, "/api/extensions/"+item.id, "")
	if !c.judge(begin, status, body, err) {
		return
	}
	c.reads.Add(1)
	var got struct {
		Extension struct{ ID, Description string }
	}
	if !assert.NoError(c.t, json.Unmarshal([]byte(body), &got), body) {
		return
	}
	var n int64
	_, err = fmt.Sscanf(got.Extension.Description, "version %d", &n)
	assert.NoError(c.t, err, body)
	assert.Equal(c.t, item.id, got.Extension.ID, "another item's body")
	assert.GreaterOrEqual(c.t, n, least, "%s: an acknowledged write is lost (%s)", item.id, state)
	assert.LessOrEqual(c.t, n, item.attempted.Load(), "%s: a version nobody wrote", item.id)
}

// judge reports whether a request was answered, and fails the test if there is
// no excuse for it that it was not.
func (c *chaos) judge(begin time.Time, status int, body string, err error) bool {
	switch {
	case err != nil:
		assert.True(c.t, c.was("dev", begin), "dev runs and does not answer: %v", err)
	case status >= http.StatusInternalServerError:
		assert.True(c.t, c.was("database", begin), "%d while the database runs: %s", status, body)
	default:
		return assert.Equal(c.t, http.StatusOK, status, body)
	}
	c.refused.Add(1)
	return false
}

func (c *chaos) ask(method, path, body string) (status int, answer, state string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client32.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), resp.Header.Get("X-Cache"), err
}

// report holds how long it took to be of use again: half of them in time, and
// none much later, for a busy machine may delay one.
func (c *chaos) report() {
	t := c.t
	t.Logf("%d reads, %d writes, %d refused", c.reads.Load(), c.writes.Load(), c.refused.Load())
	assert.NotZero(t, c.reads.Load())
	assert.NotZero(t, c.writes.Load())
	for name, times := range c.back {
		half := median(times) // sorts them
		t.Logf("%s: killed %d times, back after %s, at most %s", name, len(times), half, times[len(times)-1])
		assert.Less(t, half, 3*time.Second, "%s", name)
		assert.Less(t, times[len(times)-1], 10*time.Second, "%s", name)
	}
}
