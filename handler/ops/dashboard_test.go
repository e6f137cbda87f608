package ops_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/handler/ops"
)

func TestDashboardIsSelfContained(t *testing.T) {
	r := rig.New(t)
	page := rig.Get(ops.Dashboard(r.Store), "/cache", "Accept: text/html,application/json;q=0.5")
	require.Equal(t, 200, page.Status)
	assert.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	policy := page.Header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'")
	assert.NotContains(t, policy, "unsafe")
	assert.Regexp(t, `script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='$`, policy)
	assert.Empty(t, regexp.MustCompile(`(?i)(https?:)?//[a-z]|src=|<link|@import|url\(|style=|\son[a-z]+=`).FindString(page.Body))
	numbers := rig.Get(ops.Dashboard(r.Store), "/cache", "Accept: application/json")
	assert.Contains(t, numbers.Body, `"metrics"`)

	locked := ops.Dashboard(r.Store, ops.Secret("s"))
	assert.Equal(t, page.Body, rig.Get(locked, "/cache").Body, "the page holds no number")
	assert.Equal(t, 401, rig.Get(locked, "/cache", "Accept: application/json").Status)
}

// required reports whether a tool must be there: RESTASH_REQUIRE lists them.
func required(tool string) bool {
	for name := range strings.FieldsFuncSeq(os.Getenv("RESTASH_REQUIRE"), func(c rune) bool { return c == ',' || c == ' ' }) {
		if name == tool {
			return true
		}
	}
	return false
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if required("chromium") {
		t.Fatal("RESTASH_REQUIRE names chromium, and there is none")
	}
	t.Skip("no chromium here")
	return ""
}

// browse runs headless Chromium for 4 virtual seconds.
func browse(t *testing.T, args ...string) string {
	t.Helper()
	binary := chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=4000", "--window-size=1200,900"}, args...)
	out, err := exec.CommandContext(ctx, binary, args...).Output()
	require.NoError(t, err)
	return string(out)
}

func TestDashboardInChromium(t *testing.T) {
	chromium(t)
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	for range 4 {
		rig.Get(mux, "/x")
	}
	var reports atomic.Int64
	root := http.NewServeMux()
	root.Handle("/cache", ops.Dashboard(r.Store))
	root.HandleFunc("/", func(http.ResponseWriter, *http.Request) { reports.Add(1) })
	root.Handle("/x", mux) // mounted, because a preset that nobody holds any more is no row of the table
	server := httptest.NewServer(root)
	defer server.Close()
	dom := browse(t, "--dump-dom", server.URL+"/cache")
	for _, want := range []string{"75 % since the start", "3 hits", "this instance", ">list<", "breaker closed", "uri-miss", "1 · 100 %", "<td class=\"key\">/x</td>"} {
		assert.True(t, strings.Contains(dom, want), want)
	}
	shot := filepath.Join(t.TempDir(), "dashboard.png")
	if dir := os.Getenv("RESTASH_SCREENSHOTS"); dir != "" {
		shot = filepath.Join(dir, "dashboard.png")
	}
	browse(t, "--screenshot="+shot, server.URL+"/cache")
	info, err := os.Stat(shot)
	require.NoError(t, err)
	assert.Greater(t, info.Size(), int64(10_000))
}
