package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// realRedis starts a redis-server of its own, or skips. Where RESTASH_REQUIRE
// names redis a skip is a failure.
func realRedis(t *testing.T) *wire {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if slices.Contains(strings.FieldsFunc(os.Getenv("RESTASH_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' }), "redis") {
			t.Fatal("RESTASH_REQUIRE demands redis, and there is no redis-server")
		}
		t.Skip("no redis-server")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	cmd := exec.CommandContext(t.Context(), path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed: that is what Wait says
	})
	var conn net.Conn
	require.Eventually(t, func() bool {
		conn, err = net.Dial("unix", socket)
		return err == nil
	}, 10*time.Second, 20*time.Millisecond, "redis-server does not answer")
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{conn, bufio.NewReader(conn)}
}

// wire is just enough of a Redis client.
type wire struct {
	w io.Writer
	r *bufio.Reader
}

func (c *wire) do(t testing.TB, args []string) engine.Reply {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	_, err := io.WriteString(c.w, b.String())
	require.NoError(t, err)
	raw := c.read(t, nil)
	r, _, err := engine.ParseRESP(raw)
	require.NoError(t, err)
	return r
}

// read collects the bytes of one reply.
func (c *wire) read(t testing.TB, raw []byte) []byte {
	t.Helper()
	line, err := c.r.ReadBytes('\n')
	require.NoError(t, err)
	raw = append(raw, line...)
	n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:])))
	switch {
	case line[0] == '$' && n >= 0:
		bulk := make([]byte, n+2)
		_, err := io.ReadFull(c.r, bulk)
		require.NoError(t, err)
		raw = append(raw, bulk...)
	case line[0] == '*':
		for range n {
			raw = c.read(t, raw)
		}
	}
	return raw
}

// script is testdata/script.txt, read.
type line struct {
	n       int
	args    []string
	sorted  bool
	timed   bool
	clock   bool
	differs bool
}

func script(t *testing.T) []line {
	t.Helper()
	text, err := os.ReadFile("testdata/script.txt")
	require.NoError(t, err)
	var lines []line
	next := line{}
	for i, raw := range strings.Split(string(text), "\n") {
		switch {
		case raw == "" || raw[0] == '#':
		case raw == "@ sorted":
			next.sorted = true
		case raw == "@ clock":
			next.clock = true
		case raw == "@ timed":
			next.timed = true
		case strings.HasPrefix(raw, "~ "):
			next.differs = true
		default:
			next.n, next.args = i+1, words(t, raw)
			lines = append(lines, next)
			next = line{}
		}
	}
	return lines
}

// words splits a line of the script.
func words(t *testing.T, s string) []string {
	t.Helper()
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " ") {
		if s[0] == '"' {
			quoted, err := strconv.QuotedPrefix(s)
			require.NoError(t, err, s)
			word, err := strconv.Unquote(quoted)
			require.NoError(t, err, s)
			out = append(out, word)
			s = s[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(s, " ")
		out = append(out, word)
		s = rest
	}
	return out
}

func (l line) show(r engine.Reply) string {
	if l.timed {
		for _, entry := range r.Array {
			entry.Array[2].Int = 0
		}
	}
	if l.sorted && r.Kind.String() == "array" {
		slices.SortFunc(r.Array, func(a, b engine.Reply) int { return strings.Compare(show(a), show(b)) })
	}
	if l.clock {
		return pointInTime.ReplaceAllString(show(r), "then")
	}
	return show(r)
}

var pointInTime = regexp.MustCompile(`\b1[0-9]{12}\b`)

// TestSameAsRedis runs the script on both. A line marked ~ has to differ:
// what no longer does must lose its mark.
func TestSameAsRedis(t *testing.T) {
	real := realRedis(t)
	e := newEngine(t)
	for _, l := range script(t) {
		want := l.show(real.do(t, l.args))
		got, err := e.Do(t.Context(), l.args)
		require.NoError(t, err)
		if l.differs {
			assert.NotEqual(t, want, l.show(got.Reply), "line %d: %q no longer differs", l.n, l.args)
			continue
		}
		assert.Equal(t, want, l.show(got.Reply), "line %d: %q", l.n, l.args)
	}
}
