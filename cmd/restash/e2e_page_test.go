//go:build !race

package main_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/chromium"
)

// step is one thing that a person does or waits for.
type step = chromedp.Action[chromedp.Void]

// until waits for an expression of the page to become true. It asks from here:
// the page's policy forbids chromedp's own way, which makes a function of text.
func until(expression string) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for {
			if done, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err != nil || done {
				return err
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w: %s", ctx.Err(), expression)
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
}

// evaluate runs a script in the page.
func evaluate(script string) step { return chromedp.Evaluate[chromedp.Void](script) }

func badge(id, text string) step {
	return until(`document.querySelector("` + id + `").textContent === "` + text + `"`)
}

// answered waits for the newest answer to be in one of these states.
func answered(states string) step {
	return until(`/^(` + states + `)$/.test(document.querySelector("#last .badge").textContent)`)
}

// forget lets the next answered see the next answer only.
func forget() step {
	return evaluate(`document.querySelector("#last .badge").textContent = "asked"`)
}

func choose(id, value string) step {
	return evaluate(`(() => { const s = document.querySelector("` + id + `"); s.value = "` + value + `"; s.dispatchEvent(new Event("change", {bubbles: true})); })()`)
}

func steps(t *testing.T, ctx context.Context, what string, actions ...step) {
	t.Helper()
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(limit, actions...); err != nil {
		body, _ := chromedp.Run(ctx, chromedp.Text("body"))
		require.NoErrorf(t, err, "%s; the page says:\n%s", what, body)
	}
}

// A person meets the page: a MISS, then a HIT, then a dead Redis that stops
// nothing, then one that came back.
func TestPageInABrowser(t *testing.T) {
	ctx := chromium.Tab(t, 3*time.Minute)
	d := dev(t, nil, "--breaker-open", "2s")
	again := chromedp.Click("#again")
	redis := func(state string) step { return chromedp.Click(`input[value="` + state + `"]`) }
	steps(t, ctx, "the list opens", chromedp.Navigate(d.url+"/"), until(`document.querySelectorAll("#list .item").length === 10`), badge("#breaker", "closed"))
	steps(t, ctx, "a filter is a MISS, the same again a HIT",
		forget(), choose("#category", "database"), answered("MISS"), forget(), again, answered("HIT"))
	steps(t, ctx, "search, sort and pages",
		forget(), choose("#category", ""), answered("HIT|MISS"), forget(), chromedp.Click("#next"), answered("MISS"), until(`document.querySelector("#where").textContent.startsWith("page 2")`),
		forget(), choose("#sort", "rating"), answered("MISS"),
		forget(), chromedp.SendKeys("#search", "codex"), answered("MISS"), until(`document.querySelector("#list h3").textContent.includes("codex")`))
	steps(t, ctx, "a rating is on the page at once",
		evaluate(`window.before = document.querySelector("#list .facts").textContent`),
		choose("#list select", "5"), until(`document.querySelector("#list .facts").textContent !== window.before`))
	steps(t, ctx, "a download", forget(), chromedp.Click("#list button"), answered("MISS"))
	steps(t, ctx, "publish", chromedp.Click("summary"), chromedp.SendKeys("#name", "made-in-a-test"), chromedp.SendKeys("#description", "<b>bold</b>"), chromedp.Click("#publish button"),
		until(`document.querySelector("#list h3").textContent === "made-in-a-test"`), until(`!document.querySelector("#list b")`))
	steps(t, ctx, "an invalidated tag", forget(), again, answered("HIT"), chromedp.Click("#invalidate button"), until(`document.querySelector("#invalidated").textContent !== ""`), forget(), again, answered("MISS"))
	steps(t, ctx, "the load", chromedp.Click("#load"), until(`document.querySelector("#loaded").textContent.includes("0 failed")`))

	steps(t, ctx, "Redis dies", redis("down"), until(`document.querySelector("#redisnote").textContent.includes("resets")`))
	steps(t, ctx, "the breaker opens, the page goes on",
		until(`(document.querySelector("#again").click(), document.querySelector("#breaker").textContent !== "closed")`),
		forget(), again, answered("BYPASS"), until(`document.querySelector("#problem").hidden && document.querySelectorAll("#list .item").length > 0`))
	steps(t, ctx, "Redis is back, the breaker closes",
		redis("up"), until(`(document.querySelector("#again").click(), document.querySelector("#breaker").textContent === "closed")`),
		forget(), again, answered("HIT|MISS"), forget(), again, answered("HIT"))
}

// Every control has a name, and nothing is wider than a phone.
func TestPageLabelsAndPhone(t *testing.T) {
	ctx := chromium.Tab(t, 3*time.Minute)
	d := dev(t, nil)
	steps(t, ctx, "the list opens", chromedp.EmulateViewport(390, 844), chromedp.Navigate(d.url+"/"), until(`document.querySelectorAll("#list .item").length === 10`))
	unnamed, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("button, input, select")].filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)`))
	require.NoError(t, err)
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
	require.NoError(t, err)
	assert.Empty(t, unnamed)
	assert.False(t, wide, "a phone scrolls one way only")
	chromium.Screens(t, ctx, func(on chromium.Screen) {
		steps(t, ctx, on.Name, chromedp.Click("#again"), answered("HIT"))
		chromium.Keep(t, ctx, on.Name)
	})
}
