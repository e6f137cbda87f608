package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	inline     = regexp.MustCompile("`((?:go run \\./cmd/)?restash [^`\n]+)`")
	ourCommand = regexp.MustCompile(`(?:go run \./cmd/|\./|^|\s)restash((?:\s+[^\s|;&<>]+)*)`)
)

// TestDocsShellLinesAreUnderstood parses every shell block of the pages, and
// holds what they say of this program to it: its commands and flags exist.
func TestDocsShellLinesAreUnderstood(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to parse with")
	}
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			parse := exec.Command(shell, "-n")
			parse.Stdin = strings.NewReader(block[1])
			out, err := parse.CombinedOutput()
			assert.NoErrorf(t, err, "%s: %s\n%s", name, out, block[1])
			for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
				line, _, _ = strings.Cut(line, " #")
				understood(t, name, line)
			}
		}
		for _, span := range inline.FindAllStringSubmatch(string(text), -1) {
			understood(t, name, span[1])
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md", "contrib/*/*.md", "handler/*/*.md", "upstashtest/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
		require.NoError(t, err)
		all = append(all, found...)
	}
	require.NotEmpty(t, all)
	return all
}

// understood looks up the words that follow restash in a line, if it is there.
func understood(t *testing.T, name, line string) {
	t.Helper()
	m := ourCommand.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return
	}
	words := strings.Fields(strings.NewReplacer("'", "", `"`, "", "$", "").Replace(m[1]))
	root := newRoot()
	root.InitDefaultHelpCmd()
	command, rest, err := root.Find(words)
	if !assert.NoErrorf(t, err, "%s: %s", name, line) {
		return
	}
	assert.Truef(t, command != root, "%s: %s: no such command", name, line)
	command.InitDefaultHelpFlag()
	for _, word := range rest {
		long, isLong := strings.CutPrefix(word, "--")
		long, _, _ = strings.Cut(long, "=")
		if isLong && long != "" {
			assert.Truef(t, command.Flag(long) != nil, "%s: %s: no flag --%s", name, line, long)
		}
	}
}
