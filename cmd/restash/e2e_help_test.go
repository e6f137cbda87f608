//go:build !race

package main_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
)

// endless are the commands that run until they are interrupted.
var endless = map[string]bool{"dev": true, "serve": true, "subscribe": true, "monitor": true, "try --yes --dev": true, "metrics --watch": true}

// shellPrelude stands in for the shells that an example is written for.
const shellPrelude = `fpath=(. "$HOME"); Out-String() { cat; }; Invoke-Expression() { cat >/dev/null; }; `

// TestHelpEveryExampleRuns runs what the help shows, as it stands there but
// for addresses, in a shell: beside a running sample, in a folder of its own.
func TestHelpEveryExampleRuns(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("the examples are for a shell")
	}
	d := dev(t, []string{"CRON_SECRET=let-me"})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "**Endpoint:** %s\n**Token:** %s\n", d.rest, d.token)
	}))
	defer service.Close()
	stop := traffic(t, d)
	defer stop()
	fillUser(t, d)
	seen := 0
	pages := helpPages{}
	for _, path := range pages.commandPaths(t) {
		for _, line := range pages.examplesOf(t, path) {
			seen++
			t.Run(line, func(t *testing.T) {
				if strings.Contains(line, "redis://") {
					if _, err := exec.LookPath("redis-server"); err != nil {
						t.Skip("no redis-server")
					}
					line = strings.Replace(line, "redis://127.0.0.1:6379", plainRedis(t), 1)
				}
				runExample(t, d, bash, line, service.URL)
			})
		}
	}
	assert.Greater(t, seen, 35)
}

// adapted changes the addresses of an example to those that this test has.
func adapted(d *running, line, service string) string {
	line = strings.NewReplacer(
		"restash-production", "restash", "https://catalog.example.com", d.url, "http://127.0.0.1:3000", d.url, "127.0.0.1:8000", "127.0.0.1:0", ":8079", "127.0.0.1:0",
		"| source", "| cat >/dev/null",
	).Replace(line)
	add := func(prefix, flags string) {
		if strings.HasPrefix(line, prefix) {
			line += " " + flags
		}
	}
	add("restash dev", "--rest-addr 127.0.0.1:0")
	if strings.HasPrefix(line, "restash dev") && !strings.Contains(line, "--addr") {
		line += " --addr 127.0.0.1:0"
	}
	if strings.HasPrefix(line, "restash serve") && !strings.Contains(line, "--addr") {
		line += " --addr 127.0.0.1:0"
	}
	if !strings.Contains(line, "--fleet") {
		add("restash metrics", "--url "+d.url+"/api/cache/metrics")
	}
	add("restash try", "--at "+service)
	if line == "restash try --at "+service {
		line += " --yes" // nobody is there to ask
	}
	if strings.Contains(line, "--dev") {
		line += " --addr 127.0.0.1:0"
	}
	return line
}

func runExample(t *testing.T, d *running, bash, line, service string) {
	env := append([]string{"CRON_SECRET=let-me", "HOME=" + t.TempDir(), "XDG_CONFIG_HOME=" + t.TempDir()}, d.env...)
	if strings.HasPrefix(line, "restash dev") {
		env = env[:3] // it brings its own Redis and database
	}
	cmd := command(t, env)
	run := exec.Command(bash, "-c", shellPrelude+"exec 3>&1; "+withExec(adapted(d, line, service)))
	run.Env = append(cmd.Env, "PATH="+binaryDir+string(os.PathListSeparator)+os.Getenv("PATH"))
	run.Dir = t.TempDir()
	var errs lockedBuffer
	var out lockedBuffer
	run.Stdout, run.Stderr = &out, &errs
	require.NoError(t, run.Start())
	if isEndless(line) {
		ready := ""
		if strings.HasPrefix(line, "restash dev") || strings.Contains(line, "--dev") {
			ready = "Ctrl-C"
		}
		interruptAfter(t, run, ready, &out, &errs)
		return
	}
	timer := time.AfterFunc(60*time.Second, func() { _ = run.Process.Kill() })
	defer timer.Stop()
	err := run.Wait()
	if strings.HasPrefix(line, "restash doctor") { // its verdict may be a warning: this namespace is young
		assert.NotEqual(t, 2, run.ProcessState.ExitCode(), "%s", errs.String())
		assert.Contains(t, out.String(), "reachable")
		return
	}
	require.NoErrorf(t, err, "%s\n%s", out.String(), errs.String())
	assert.NotContains(t, errs.String(), "restash:")
}

// withExec lets the program take the shell's place, so that a signal finds it.
func withExec(line string) string {
	if strings.HasPrefix(line, "restash ") && isEndless(line) {
		return "exec " + line
	}
	return line
}

func isEndless(line string) bool {
	for prefix := range endless {
		if line == "restash "+prefix || strings.HasPrefix(line, "restash "+prefix+" ") {
			return true
		}
	}
	return false
}

// interruptAfter waits for words in the output, or for any.
func interruptAfter(t *testing.T, run *exec.Cmd, words string, out, errs *lockedBuffer) {
	t.Helper()
	shown := func() bool { return out.String() != "" && strings.Contains(out.String(), words) }
	for limit := time.Now().Add(60 * time.Second); !shown() && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
	assert.Truef(t, shown(), "%s\n%s", out.String(), errs.String())
	require.NoError(t, run.Process.Signal(syscall.SIGINT))
	assert.NoErrorf(t, run.Wait(), "%s\n%s", out.String(), errs.String())
}

// fillUser stores the entry that the examples of inspect name.
func fillUser(t *testing.T, d *running) {
	t.Helper()
	c, err := client.New(client.Config{URL: d.rest, Token: d.token})
	require.NoError(t, err)
	defer c.Close()
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	require.NoError(t, err)
	users := strategies.New[string](store, strategies.Config{Name: "user", Version: "v1", TTL: time.Minute})
	_, err = users.Get(t.Context(), "ada", func(context.Context, string) (string, error) { return "Ada", nil })
	require.NoError(t, err)
	require.NoError(t, store.Close(t.Context()))
}

// traffic is what subscribe and monitor have to show.
func traffic(t *testing.T, d *running) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			for _, body := range []string{`["PUBLISH","news","x"]`, `["PUBLISH","news:1","x"]`} {
				req, err := http.NewRequest(http.MethodPost, d.rest, strings.NewReader(body))
				if err != nil {
					return
				}
				req.Header.Set("Authorization", "Bearer "+d.token)
				if resp, err := http.DefaultClient.Do(req); err == nil {
					_ = resp.Body.Close()
				}
			}
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// plainRedis starts a redis-server and returns its URL.
func plainRedis(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "redis.sock")
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	require.Eventually(t, func() bool { _, err := os.Stat(socket); return err == nil }, 30*time.Second, 20*time.Millisecond)
	return "unix://" + socket
}

// helpPages are the pages that were asked for, by command.
type helpPages map[string]string

// commandPaths asks the program for its commands, and theirs.
func (h helpPages) commandPaths(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, name := range h.subcommands(t) {
		below := h.subcommands(t, name)
		if len(below) == 0 {
			all = append(all, name)
		}
		for _, sub := range below {
			all = append(all, name+" "+sub)
		}
	}
	return all
}

func (h helpPages) subcommands(t *testing.T, path ...string) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(h.section(t, "Available Commands:", path...)) {
		names = append(names, strings.Fields(line)[0])
	}
	return names
}

func (h helpPages) examplesOf(t *testing.T, path string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(h.section(t, "Examples:", strings.Fields(path)...)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// section returns a part of a command's help.
func (h helpPages) section(t *testing.T, title string, path ...string) string {
	t.Helper()
	name := strings.Join(path, " ")
	if _, known := h[name]; !known {
		out, err := command(t, nil, append(path, "--help")...).Output()
		require.NoError(t, err)
		h[name] = string(out)
	}
	_, rest, _ := strings.Cut(h[name], "\n"+title+"\n")
	part, _, _ := strings.Cut(rest, "\n\n")
	return part
}
