package upstashtest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// linesOf are the lines of a file, without comments and empty ones.
func linesOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var all []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	return all
}

func fidelity(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("FIDELITY.md")
	require.NoError(t, err)
	return strings.Join(strings.Fields(string(text)), " ")
}

// The numbers of FIDELITY.md are those of what is run against a real Redis.
func TestFidelityCountsWhatIsCompared(t *testing.T) {
	commands, differ := 0, 0
	for _, line := range linesOf(t, "internal/engine/testdata/script.txt") {
		switch line[:2] {
		case "@ ":
		case "~ ":
			differ++
		default:
			commands++
		}
	}
	shapes := len(linesOf(t, "internal/engine/testdata/shapes.txt"))
	text := fidelity(t)
	assert.Contains(t, text, fmt.Sprintf("holds %d commands", commands))
	assert.Contains(t, text, fmt.Sprintf("but for the %d marked `~`", differ))
	assert.Contains(t, text, fmt.Sprintf("the %d command shapes", shapes))
}

// The result of the official suite is that of its last run, and nothing but
// SEARCH.* failed in it.
func TestFidelityQuotesTheOfficialSuite(t *testing.T) {
	numbers, failed := map[string]string{}, 0
	for _, line := range linesOf(t, "testdata/typescript.txt") {
		kind, rest, _ := strings.Cut(line, " ")
		if kind != "fail" {
			numbers[kind] = rest
			continue
		}
		failed++
		assert.True(t, strings.HasPrefix(rest, "pkg/commands/search/") || strings.Contains(rest, "search > "), rest)
	}
	assert.Contains(t, fidelity(t), fmt.Sprintf("%s of its %s tests pass", numbers["pass"], numbers["total"]))
	assert.Contains(t, fidelity(t), fmt.Sprintf("it skips %s itself, and the %d that fail are those of `SEARCH.*`", numbers["skip"], failed))
}

// What FIDELITY.md says is missing or different is.
func TestFidelityDifferences(t *testing.T) {
	s := upstashtest.Run(t)
	for _, name := range []string{"SORT", "LCS", "OBJECT", "XSETID", "SPUBLISH"} {
		assert.Contains(t, fidelity(t), "`"+name+"`")
		assert.Contains(t, do(t, s, name, "a", "b").body, "not available", name)
	}
	assert.Contains(t, do(t, s, "SEARCH.QUERY", "a").body, "not emulated")
	for _, c := range []struct {
		args []any
		want string
	}{
		{[]any{"EVAL", `return 1e15 .. ""`, 0}, `{"result":"1000000000000000"}`},
		{[]any{"ZADD", "z", "0.1", "m"}, `{"result":1}`},
		{[]any{"ZSCORE", "z", "m"}, `{"result":"0.1"}`},
		{[]any{"RESTORE", "r", 0, "\x00\x01v\n\x00\x91\b\xce\xb2\x198\x8a\xce"}, `{"error":"ERR DUMP payload version or checksum are wrong"}`},
		{[]any{"JSON.SET", "j", "$", "1"}, `{"result":"OK"}`},
		{[]any{"TYPE", "j"}, `{"result":"ReJSON-RL"}`},
		{[]any{"XADD", "x", "1-1", "f", "v"}, `{"result":"1-1"}`},
		{[]any{"XINFO", "CONSUMERS", "x", "none"}, `{"result":[]}`},
	} {
		assert.Equal(t, c.want, do(t, s, c.args...).body, c.args)
	}
}
