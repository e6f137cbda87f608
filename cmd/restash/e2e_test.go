//go:build !race

package main_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

const (
	hit   = "HIT"
	miss  = "MISS"
	stale = "STALE"
)

type list struct {
	Extensions []struct {
		ID string `json:"id"`
	} `json:"extensions"`
	Pagination struct {
		Page, Limit, Total, TotalPages int
		HasNext, HasPrev               bool
	} `json:"pagination"`
}

func (a answer) list(t *testing.T) list {
	t.Helper()
	var l list
	require.NoError(t, json.Unmarshal([]byte(a.body), &l), a.body)
	return l
}

func TestDev_showsItsOwnMissAndHits(t *testing.T) {
	d := dev(t, nil)
	var states []string
	curls := 0
	for _, line := range d.output {
		if m := answersLine.FindStringSubmatch(line); m != nil {
			states = append(states, m[1])
		}
		if strings.HasPrefix(line, "  curl ") {
			curls++
		}
	}
	assert.Equal(t, []string{miss, hit, hit}, states)
	assert.Equal(t, 3, curls)
	require.Len(t, d.env, 3)
	for i, name := range []string{"UPSTASH_REDIS_REST_URL=", "UPSTASH_REDIS_REST_TOKEN=", "DATABASE_URL="} {
		assert.Truef(t, strings.HasPrefix(d.env[i], name), "%s does not begin with %s", d.env[i], name)
	}
	assert.Zero(t, d.end(syscall.SIGTERM), d.stderr)
	assert.Empty(t, d.stderr.String())
}

func TestDev_missThenHitForEveryHostName(t *testing.T) {
	d := dev(t, nil)
	const path = "/api/extensions?sort=downloads"
	var first, second answer
	commands, trips := d.cost(func() { first = d.expect(miss, path) })
	assert.Equal(t, []int64{2, 2}, []int64{commands, trips}, "billed commands and round trips of a miss")
	commands, trips = d.cost(func() { second = d.expect(hit, path) })
	assert.Equal(t, []int64{1, 1}, []int64{commands, trips}, "billed commands and round trips of a hit")
	assert.Equal(t, first.body, second.body)

	l := second.list(t)
	require.NotEmpty(t, l.Extensions)
	assert.Equal(t, "anthropic-ai-claude-code", l.Extensions[0].ID)
	assert.Equal(t, 247, l.Pagination.Total)
	assert.True(t, l.Pagination.HasNext)
	assert.False(t, l.Pagination.HasPrev)

	at, err := url.Parse(d.url)
	require.NoError(t, err)
	for _, host := range []string{"localhost:" + at.Port(), "127.0.0.1:" + at.Port(), "shop.example"} {
		a := d.get(path, func(r *http.Request) { r.Host = host })
		assert.Equal(t, hit, a.state(), host)
		assert.Equal(t, first.body, a.body, host)
	}
	// The defaults are written out: all of these are one entry.
	for _, same := range []string{"/api/extensions", "/api/extensions?page=1&limit=20", "/api/extensions?limit=20&sort=downloads&utm_source=x"} {
		d.expect(hit, same)
	}
}

func TestDev_threeOrdersGiveThreeFirstPages(t *testing.T) {
	d := dev(t, nil)
	var pages []string
	for _, sort := range []string{"downloads", "rating", "recent"} {
		l := d.get("/api/extensions?sort=" + sort).list(t)
		require.Len(t, l.Extensions, 20)
		assert.NotContains(t, pages, l.Extensions[0].ID)
		pages = append(pages, l.Extensions[0].ID)
	}
}

func TestDev_warmInASecondProcess(t *testing.T) {
	d := dev(t, nil)
	second := command(t, d.env, "warm")
	out, err := second.Output()
	require.NoError(t, err, string(out))
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	assert.Greater(t, len(lines), 4, "progress and a summary: %s", out)
	assert.Regexp(t, `warmed \d+, fresh \d+, failed 0, commands \d+, trips \d+`, lines[len(lines)-1])
	for _, path := range warmedPaths(t, d) {
		commands, trips := d.cost(func() { d.expect(hit, path) })
		assert.Equal(t, []int64{1, 1}, []int64{commands, trips}, path)
	}
}

// TestDev_survivesRedis kills a REST server that runs apart from dev.
func TestDev_survivesRedis(t *testing.T) {
	const token = "a-token-of-this-test"
	redis := start(t, nil, "serve", "--addr", "127.0.0.1:0", "--token", token)
	lines := redis.until(`^UPSTASH_REDIS_REST_URL=`)
	address := strings.TrimPrefix(strings.Fields(lines[len(lines)-1])[0], "UPSTASH_REDIS_REST_URL=")
	d := dev(t, []string{"UPSTASH_REDIS_REST_URL=" + address, "UPSTASH_REDIS_REST_TOKEN=" + token}, "--breaker-open", "2s")
	plain := dev(t, nil, "--no-cache")
	const path = "/api/extensions?category=devtools"
	d.expect(hit, path)
	require.Equal(t, "closed", d.metrics()["breaker"])

	redis.end(syscall.SIGKILL)
	usual := plain.expect("BYPASS", path).took
	for range 5 {
		a := d.expect("BYPASS", path)
		assert.Less(t, a.took, usual+1200*time.Millisecond, "a failing request")
	}
	assert.Equal(t, "open", d.metrics()["breaker"])
	for _, other := range []string{"/api/mcp", "/api/categories", "/api/stats", "/api/users/anthropic-ai", "/api/featured/extensions"} {
		assert.Equal(t, http.StatusOK, d.get(other).status, other)
	}
	assertAsFastAs(t, d, plain, path)

	restarted := start(t, nil, "serve", "--addr", strings.TrimPrefix(address, "http://"), "--token", token)
	restarted.until(`^UPSTASH_REDIS_REST_URL=`)
	require.Eventually(t, func() bool {
		d.get(path)
		return d.metrics()["breaker"] == "closed"
	}, 15*time.Second, 100*time.Millisecond, "the breaker closes by itself")
	d.expect(hit, path)
}

// assertAsFastAs compares the medians of 200 requests to each, taken in turn so
// that whatever else runs on this machine disturbs both alike.
func assertAsFastAs(t *testing.T, open, plain *running, path string) {
	t.Helper()
	var ratio float64
	for range 3 { // a busy machine may spoil a round
		var a, b []time.Duration
		for range 200 {
			a = append(a, open.get(path).took)
			b = append(b, plain.get(path).took)
		}
		ratio = float64(median(a)) / float64(median(b))
		t.Logf("p50 with an open breaker %s, without a cache %s, ratio %.2f, breaker %v", median(a), median(b), ratio, open.metrics()["breaker"])
		if ratio <= 1.2 {
			return
		}
	}
	assert.LessOrEqual(t, ratio, 1.2, "p50 with an open breaker / p50 without a cache")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func TestErrors_areOneLineAndExitStatus1(t *testing.T) {
	taken := dev(t, nil)
	at, err := url.Parse(taken.url)
	require.NoError(t, err)
	rest, err := url.Parse(taken.rest)
	require.NoError(t, err)
	good := []string{"UPSTASH_REDIS_REST_URL=http://127.0.0.1:1", "UPSTASH_REDIS_REST_TOKEN=hunter2"}
	tests := []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"taken port", nil, []string{"dev", "--addr", at.Host, "--rest-addr", "127.0.0.1:0"}, at.Host},
		{"taken REST port", nil, []string{"dev", "--addr", "127.0.0.1:0", "--rest-addr", rest.Host}, rest.Host},
		{"taken port of serve", nil, []string{"serve", "--addr", rest.Host}, rest.Host},
		{"bad Redis URL", []string{"UPSTASH_REDIS_REST_URL=redis://x", good[1]}, []string{"dev", "--addr", "127.0.0.1:0"}, "URL"},
		{"missing token", good[:1], []string{"dev", "--addr", "127.0.0.1:0"}, "UPSTASH_REDIS_REST_TOKEN"},
		{"missing URL", good[1:], []string{"dev", "--addr", "127.0.0.1:0"}, "UPSTASH_REDIS_REST_URL"},
		{"bad database URL", []string{"DATABASE_URL=mysql://u:hunter2@x/y"}, []string{"dev", "--addr", "127.0.0.1:0", "--rest-addr", "127.0.0.1:0"}, "DATABASE_URL"},
		{"warm without Redis", []string{"DATABASE_URL=" + strings.TrimPrefix(taken.env[2], "DATABASE_URL=")}, []string{"warm"}, "UPSTASH_REDIS_REST_URL"},
		{"warm without database", good, []string{"warm"}, "DATABASE_URL"},
		{"unknown command", nil, []string{"deploy"}, "deploy"},
		{"unknown flag", nil, []string{"dev", "--fast"}, "--fast"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := command(t, tt.env, tt.args...)
			var stderr lockedBuffer
			cmd.Stderr = &stderr
			require.Error(t, cmd.Run())
			assert.Equal(t, 1, cmd.ProcessState.ExitCode())
			text := stderr.String()
			assert.Equal(t, 1, strings.Count(text, "\n"), text)
			assert.True(t, strings.HasPrefix(text, "restash: "), text)
			assert.Contains(t, text, tt.want)
			assert.NotContains(t, text, "hunter2")
		})
	}
}

func TestCommands_printsTheTable(t *testing.T) {
	out, err := command(t, nil, "commands").Output()
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^GET +string +read +yes .*Get\(key string\)`, string(out))
	assert.Regexp(t, `(?m)^INCR +string +write +no `, string(out))
}

// warmedPaths asks the sample itself what its plan covers.
func warmedPaths(t *testing.T, d *running) []string {
	t.Helper()
	source := strings.TrimPrefix(d.env[2], "DATABASE_URL=sqlite:")
	db, err := sql.Open("sqlite", "file:"+source)
	require.NoError(t, err)
	defer db.Close()
	database, err := catalog.NewDatabase(db, catalog.SQLite)
	require.NoError(t, err)
	store, err := strategies.NewStore(nil, strategies.StoreConfig{})
	require.NoError(t, err)
	defer store.Close(t.Context())
	app, err := catalog.New(catalog.Config{Database: database, Store: store})
	require.NoError(t, err)
	paths, err := app.WarmedURLs(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(paths), 100)
	return paths
}
