//go:build !race

package ops

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/internal/chromium"
)

// becomes waits for an expression of the page to be true.
func becomes(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	for {
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && done {
			return
		}
		if ctx.Err() != nil {
			body, _ := chromedp.Run(ctx, chromedp.Text("body"))
			require.FailNowf(t, "the page never got there", "%s: %v\n%s", expression, err, body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func do(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](script))
	require.NoError(t, err, script)
}

// busy is the report of an instance that has run for a while.
func busy() report {
	now := time.Now().Truncate(time.Second)
	r := report{
		document: document{
			Metrics: basicsOf(912340, 50321, 12, 2140*time.Microsecond), Scope: "fleet", Namespace: "shop-production",
			Cache: &details{P50: 1.4, P99: 12.5, LoadP50: 42, LoadP99: 1840, Commands: 183211, Invalidations: 77, Refreshes: 1822, RefreshesFailed: 3, Audited: 912, Outdated: 2, OutdatedAge: 41, Breaker: "closed", Quota: &quota{"month", 500_000, 183_211, "nothing"}},
		},
		Instance: basicsOf(91234, 5032, 2, 2140*time.Microsecond),
		Totals:   totals{Hits: 89000, Stale: 2234, Misses: 5032, Bypass: 3321, Errors: 214},
		Today:    today{Since: now.Add(-9 * time.Hour), Answers: 99587, FromCache: 91234, Commands: 183211, CommandsSaved: 4211, LoadSecondsSaved: 8123},
		Rows: []row{
			{Name: "extensions", Route: true, TTL: 3600, Hits: 61234, Stale: 1200, Misses: 2210, Bypass: 400, LoadP50: 38.2, LoadP99: 812, Commands: 64000, reasons: reasons{map[string]int64{"uri-miss": 1800, "invalidated": 310, "stale": 100}, map[string]int64{"method": 320, "request": 80}}},
			{Name: "mcp", Route: true, TTL: 3600, Hits: 20000, Stale: 800, Misses: 1900, Bypass: 2900, LoadP50: 51, LoadP99: 1840, Commands: 21000, Errors: 12, Unstored: 44, reasons: reasons{map[string]int64{"uri-miss": 1500, "private": 400}, map[string]int64{"credentials": 2600, "breaker": 300}}},
			{Name: "user", Hits: 7766, Stale: 234, Misses: 922, Bypass: 21, LoadP50: 4.2, LoadP99: 31, Commands: 9100},
		},
	}
	for i := range 12 {
		r.TopMisses = append(r.TopMisses, keyMisses{"extensions", fmt.Sprintf("%%2Fapi%%2Fextensions::search=a-rather-long-search-%d:page=%d", i*7919, i), int64(900 / (i + 1))})
	}
	var sum totals
	commands := int64(1000)
	for i := range 181 {
		state := "closed"
		if wave := 60 + 40*math.Sin(float64(i)/14) + float64(i*7919%23); i > 90 && i < 105 {
			state = "open"
			sum.Bypass += int64(wave * 5)
			sum.Errors += 3
		} else {
			sum.Hits += int64(wave * 4.2)
			sum.Stale += int64(wave / 6)
			sum.Misses += int64(wave / 2)
			commands += int64(wave * 6)
		}
		if i == 105 || i == 106 {
			state = "half-open"
		}
		r.History = append(r.History, sample{At: now.Add(time.Duration(i-180) * 5 * time.Second).UnixMilli(), totals: sum, Commands: commands, Breaker: state})
	}
	return r
}

// An operator looks at an instance that is busy, on a desk and on a phone, by
// keyboard, and when the application stops answering.
func TestDashboardInABrowser(t *testing.T) {
	ctx := chromium.Tab(t, 2*time.Minute)
	store := rig.New(t).Store
	var shown atomic.Pointer[report]
	fine := busy()
	shown.Store(&fine)
	page := Dashboard(store)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := shown.Load()
		switch {
		case !wantsJSON(r.Header):
			page.ServeHTTP(w, r)
		case now == nil:
			w.WriteHeader(http.StatusBadGateway)
		default:
			writeJSON(w, http.StatusOK, now)
		}
	}))
	defer server.Close()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/cache")))
	becomes(t, ctx, `document.querySelectorAll("#rows tr").length === 3`)
	for _, want := range []string{"shop-production", "183,211 commands", "$0.37", "91,234 loads", "p99 1.8 s", "invalidated", "credentials", "All instances", "2 outdated", "of 500,000 commands"} {
		becomes(t, ctx, fmt.Sprintf("document.body.innerText.includes(%q)", want))
	}
	becomes(t, ctx, `document.querySelector("#errors .k-open") && document.querySelector("#answers .k-hits") && document.querySelectorAll("#answers text").length > 8`)
	do(t, ctx, `document.getElementById("by-name").click()`)
	becomes(t, ctx, `document.querySelector("#rows th").textContent === "extensions" && document.querySelector("[aria-sort=ascending]").textContent === "Name"`)
	do(t, ctx, `document.getElementById("answers").focus()`)
	require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent("\u0302"))) // arrow left
	becomes(t, ctx, `document.querySelector("#answers .cursor") && document.getElementById("l-answers").textContent.includes("at ")`)
	unnamed, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("button, input, [tabindex]")].filter((e) => !(e.labels?.length || e.ariaLabel || e.getAttribute("aria-labelledby") || e.textContent.trim())).map((e) => e.outerHTML)`))
	require.NoError(t, err)
	assert.Empty(t, unnamed)
	pictures(t, ctx, "loaded")

	shown.Store(nil)
	do(t, ctx, "tick()")
	becomes(t, ctx, `document.querySelector(".alert.bad")?.textContent.includes("does not answer") && document.getElementById("all").className === "old"`)
	sick := busy()
	sick.Cache.Breaker, sick.Cache.BreakerCause, sick.Cache.Pending = "open", "client: transport: dial tcp (address): connect: connection refused", 3
	shown.Store(&sick)
	do(t, ctx, "tick()")
	becomes(t, ctx, `document.querySelector(".alert.bad")?.textContent.includes("refused") && document.getElementById("breaker").textContent === "breaker open"`)
	pictures(t, ctx, "failing")
	sick = report{document: gather(t.Context(), store), Rows: []row{}, History: []sample{{At: time.Now().UnixMilli(), Breaker: "closed"}}}
	shown.Store(&sick)
	do(t, ctx, "tick()")
	becomes(t, ctx, `document.getElementById("rows").children.length === 0 && !document.getElementById("nokeys").hidden`)
	pictures(t, ctx, "empty")
}

// pictures looks at the page on each screen: it scrolls one way only.
func pictures(t *testing.T, ctx context.Context, what string) {
	t.Helper()
	chromium.Screens(t, ctx, func(on chromium.Screen) {
		becomes(t, ctx, fmt.Sprintf("innerWidth === %d", on.Width))
		becomes(t, ctx, "document.documentElement.scrollWidth <= innerWidth")
		chromium.Keep(t, ctx, "cache-"+what+"-"+on.Name)
	})
}
