//go:build !race

package main_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

const (
	hit    = "HIT"
	miss   = "MISS"
	bypass = "BYPASS"
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

func TestDevShowsItsOwnMissAndHits(t *testing.T) {
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

func TestDevMissThenHitForEveryHostName(t *testing.T) {
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

func TestDevThreeOrdersGiveThreeFirstPages(t *testing.T) {
	d := dev(t, nil)
	var pages []string
	for _, sort := range []string{"downloads", "rating", "recent"} {
		l := d.get("/api/extensions?sort=" + sort).list(t)
		require.Len(t, l.Extensions, 20)
		assert.NotContains(t, pages, l.Extensions[0].ID)
		pages = append(pages, l.Extensions[0].ID)
	}
}

func TestDevWarmInASecondProcess(t *testing.T) {
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

func TestDevWarmsItselfWhenAskedWithItsSecret(t *testing.T) {
	d := dev(t, []string{"CRON_SECRET=let-me"})
	out, err := command(t, []string{"CRON_SECRET=let-me"}, "warm", "--url", d.url).Output()
	require.NoError(t, err)
	assert.Regexp(t, `^namespace restash\nwarmed \d{3}, fresh \d+, failed 0, commands \d+, trips \d+, \d+ bytes in \d+(\.\d+)?m?s\n$`, string(out))
	d.expect(hit, "/api/categories")

	out, err = command(t, d.env, "warm", "--json").Output()
	require.NoError(t, err)
	var report struct{ Warmed, Fresh, Failed int }
	require.NoError(t, json.Unmarshal(out, &report), string(out))
	assert.Zero(t, report.Warmed)
	assert.Greater(t, report.Fresh, 100)
	assert.Zero(t, report.Failed)
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
