package catalog_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/warm"
)

// Warming once wrote other keys and another shape of values than the routes
// read, so that no warmed entry was ever hit.
func TestDefect02WarmingWritesWhatTheRoutesRead(t *testing.T) {
	p := newPlatform(t)
	urls, err := p.app.WarmedURLs(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(urls), 200)
	report, err := p.app.Warm(t.Context(), warm.Options{})
	require.NoError(t, err)
	assert.Zero(t, report.Failed)
	assert.Greater(t, report.Warmed, 200)
	t.Log(report)

	reader := instance(t, p.server, p.db) // another process
	cold := instance(t, p.server, p.db, func(c *catalog.Config) { c.Store = disabled(t) })
	for _, url := range urls {
		got := reader.get(url)
		assert.Equal(t, "HIT", got.cache(), url)
		assert.Equal(t, cold.get(url).Body.String(), got.Body.String(), url)
	}
}

func TestWarmingTwiceLoadsNothingAgain(t *testing.T) {
	p := newPlatform(t)
	first, err := p.app.Warm(t.Context(), warm.Options{})
	require.NoError(t, err)
	second, err := p.app.Warm(t.Context(), warm.Options{})
	require.NoError(t, err)
	assert.Zero(t, second.Warmed)
	assert.Equal(t, first.Warmed, second.Fresh)
	assert.Less(t, second.Commands, 40)
}

// Serving and warming must use the same presets whatever the App changes in them.
func TestWarmingServesAnAppBehindACDN(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.CDN = handler.CDN{TTL: 10 * time.Second} })
	_, err := p.app.Warm(t.Context(), warm.Options{})
	require.NoError(t, err)
	got := p.get("/api/extensions?sort=rating")
	assert.Equal(t, "HIT", got.cache())
	assert.Contains(t, got.Header().Get("CDN-Cache-Control"), "max-age=10")
}

func TestCronWarmsAndAnswersTheReport(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.CronSecret = "cron" })
	got := p.do("GET", "/api/cron/warm", "", "Authorization", "Bearer cron")
	require.Equal(t, 200, got.Code, got.Body)
	var report map[string]any
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &report))
	assert.NotEmpty(t, report)
	assert.Equal(t, "HIT", p.get("/api/mcp?sort=recent").cache())
	assert.Equal(t, 200, p.do("POST", "/api/cron/warm", "", "Authorization", "Bearer cron").Code)
}

func TestOneInstanceWarmsAtATime(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.CronSecret = "cron" })
	var during reply
	_, err := p.app.Plan().Run(t.Context(), p.store, warm.Options{Progress: func(warm.Event) {
		if during.ResponseRecorder == nil {
			during = p.do("GET", "/api/cron/warm", "", "Authorization", "Bearer cron")
		}
	}})
	require.NoError(t, err)
	assert.Equal(t, 409, during.Code, during.Body)
	code, message := during.problem()
	assert.Equal(t, "busy", code)
	assert.Contains(t, message, "running elsewhere: by ")
	assert.Equal(t, 200, p.do("GET", "/api/cron/warm", "", "Authorization", "Bearer cron").Code)
}

func TestCronSaysWhatIsWrongWithFrom(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.CronSecret = "cron" })
	got := p.do("GET", "/api/cron/warm?from=zzz", "", "Authorization", "Bearer cron")
	assert.Equal(t, 400, got.Code)
	_, message := got.problem()
	assert.Contains(t, message, `"zzz"`)
}

// A function that has too little time does what it can and says where to go on.
func TestCronGoesOnWhereItEnded(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.CronSecret = "cron" })
	whole, err := newPlatform(t).app.Warm(t.Context(), warm.Options{})
	require.NoError(t, err)
	part, err := p.app.Warm(t.Context(), warm.Options{Commands: whole.Commands / 2})
	require.ErrorIs(t, err, warm.ErrBudget)
	require.NotEmpty(t, part.Next)
	got := p.do("GET", "/api/cron/warm?from="+url.QueryEscape(part.Next), "", "Authorization", "Bearer cron")
	require.Equal(t, 200, got.Code, got.Body)
	var rest struct{ Warmed, Fresh int }
	got.json(&rest)
	assert.Less(t, rest.Warmed, whole.Warmed, "what was warmed is not asked for again")
	urls, err := p.app.WarmedURLs(t.Context())
	require.NoError(t, err)
	for _, u := range urls {
		assert.Equal(t, "HIT", p.get(u).cache(), u)
	}
}

func TestCronSaysWhenSomethingCouldNotBeLoaded(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.CronSecret = "cron" })
	p.server.Close()
	got := p.do("GET", "/api/cron/warm", "", "Authorization", "Bearer cron")
	assert.Equal(t, 500, got.Code, got.Body)
}
