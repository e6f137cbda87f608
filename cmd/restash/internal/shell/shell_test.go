package shell_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/shell"
)

func TestComplete(t *testing.T) {
	for typed, want := range map[string]string{
		"zcar":        "zcard ",
		"ZINCR":       "ZINCRBY ",
		"zra":         "zran", // ZRANDMEMBER, ZRANGE, ZRANK
		"xinfo s":     "xinfo stream ",
		"hel":         "help ",
		"nosuch":      "nosuch",
		"set key val": "set key val",
	} {
		extended, _ := shell.Complete(typed)
		assert.Equal(t, want, extended, typed)
	}
	_, show := shell.Complete("zran")
	assert.Contains(t, show, "ZRANGE")
	assert.Contains(t, show, "ZRANK")
	_, show = shell.Complete("xinfo ")
	assert.Equal(t, []string{"XINFO CONSUMERS", "XINFO GROUPS", "XINFO STREAM"}, show)
	_, show = shell.Complete("expire key ")
	require.NotEmpty(t, show)
	assert.Equal(t, "EXPIRE key seconds [options ...]", show[0])
	extended, _ := shell.Complete("monit")
	assert.Equal(t, "monit", extended, "streams have commands of their own")
}

// TestHintsReadEverySignature finds a form of declaration that the hints do
// not understand: it would show a command as if it had no arguments.
func TestHintsReadEverySignature(t *testing.T) {
	for _, info := range command.Table() {
		hints := strings.Join(shell.Hints(info.Name), "\n")
		assert.NotContains(t, hints, "(", info.Signature)
		if !strings.Contains(info.Signature, "()") {
			assert.Regexp(t, "(?m)^"+regexp.QuoteMeta(info.Name)+" .", hints, info.Signature)
		}
	}
}

func TestHistorySurvivesAndKeepsNoSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "restash", "history")
	h := shell.OpenHistory(path)
	for _, line := range []string{"GET a", "GET a", " SET hidden 1", "AUTH s3cret", "acl setuser x >s3cret", "", "GET b"} {
		h.Add(line)
	}
	require.NoError(t, h.Save())
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again := shell.OpenHistory(path)
	require.Equal(t, 2, again.Len())
	assert.Equal(t, "GET b", again.At(0))
	assert.Equal(t, "GET a", again.At(1))
	require.NoError(t, shell.OpenHistory("").Save(), "a history without a file is none")
}
