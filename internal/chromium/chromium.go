package chromium

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Tab opens a tab that is closed when the test ends, or after limit. Without
// Chromium the test is skipped; where RESTASH_REQUIRE names chromium it fails
// instead.
func Tab(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		require.NotContains(t, os.Getenv("RESTASH_REQUIRE"), "chromium", "install it: %v", err)
		t.Skip("no chromium")
	}
	// Without a sandbox, because tests run as root in containers; the pages are ours.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "chromium starts")
	ctx, cancel = context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	return ctx
}

// Screen is what somebody looks at a page on.
type Screen struct {
	Name          string // width and scheme, such as 390-dark
	Width, Height int64
}

// Screens shows the page on a desk's screen and on a phone's, light and dark, and
// calls look on each.
func Screens(t *testing.T, ctx context.Context, look func(Screen)) {
	t.Helper()
	for _, name := range []string{"1280-light", "1280-dark", "390-light", "390-dark"} {
		width, scheme, _ := strings.Cut(name, "-")
		screen := Screen{Name: name, Width: 1280, Height: 900}
		if width == "390" {
			screen.Width, screen.Height = 390, 844
		}
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(screen.Width, screen.Height)))
		look(screen)
	}
}

// Keep writes a picture of the page to the folder that RESTASH_SCREENSHOTS names,
// for people who want to look too.
func Keep(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("RESTASH_SCREENSHOTS")
	if folder == "" {
		return
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o600))
}
