package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
)

// result is what a command left behind.
type result struct {
	status    int
	out, errs string
}

// restash runs a command line in this process, with an environment in which no
// Redis is named.
func restash(t *testing.T, args ...string) result {
	t.Helper()
	return restashWith(t, t.Context(), "", args...)
}

func restashWith(t *testing.T, ctx context.Context, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(ctx, args, strings.NewReader(stdin), &out, &errs)
	return result{status, out.String(), errs.String()}
}

// unsetRedis hides the caller's Redis, and undoes what flags set.
func unsetRedis(t *testing.T) {
	t.Helper()
	for _, name := range redisVariables {
		t.Setenv(name, "")
	}
}

// leaves are all commands without subcommands.
func leaves(cmd *cobra.Command) []*cobra.Command {
	if !cmd.HasSubCommands() {
		return []*cobra.Command{cmd}
	}
	var all []*cobra.Command
	for _, sub := range cmd.Commands() {
		all = append(all, leaves(sub)...)
	}
	return all
}

func TestHelpNamesEveryCommandAndHasAnExample(t *testing.T) {
	help := restash(t, "--help")
	require.Zero(t, help.status)
	assert.Empty(t, help.errs)
	for _, cmd := range newRoot().Commands() {
		assert.Contains(t, help.out, "\n  "+cmd.Name()+" ")
		assert.False(t, cmd.Hidden, cmd.Name())
	}
	for _, cmd := range leaves(newRoot()) {
		assert.NotEmpty(t, cmd.Example, cmd.CommandPath())
		for line := range strings.Lines(cmd.Example) {
			assert.Contains(t, line, cmd.CommandPath(), "an example of another command")
		}
	}
	assert.Equal(t, help.out, restash(t).out, "without a command there is the help")
}

func TestUsageIsStatusTwoInOneLineThatSuggests(t *testing.T) {
	unsetRedis(t)
	for line, want := range map[string]string{
		"wram":                                "did you mean warm?",
		"serv":                                " serve?",
		"quite-other":                         `unknown command "quite-other"`,
		"completion bsh":                      "did you mean bash",
		"dev --adr x":                         "did you mean --addr",
		"commands --jsn":                      "did you mean --json?",
		"warm now":                            "see restash warm --help",
		"dev --breaker-open soon":             "breaker-open",
		"commands a b":                        "commands",
		"commands --env-file /no/such/file":   "--env-file",
		"--rest-url":                          "rest-url",
		"commands -x":                         "unknown shorthand flag",
		"commands --no-such-thing-as-this=12": "unknown flag: --no-such-thing-as-this",
	} {
		r := restash(t, words(line)...)
		assert.Equal(t, exitUsage, r.status, line)
		assert.Contains(t, r.errs, want, line)
		assert.Equal(t, 1, strings.Count(r.errs, "\n"), r.errs)
		assert.Empty(t, r.out, line)
	}
}

func TestFailureIsStatusOne(t *testing.T) {
	unsetRedis(t)
	t.Setenv(databaseVariable, "")
	r := restash(t, "warm")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.errs, databaseVariable)
	assert.Equal(t, exitFailed, restash(t, "commands", "nosuchname").status)
}

func TestVersionTellsCommitAndGo(t *testing.T) {
	r := restash(t, "--version")
	require.Zero(t, r.status)
	assert.Regexp(t, `^restash `+regexp.QuoteMeta(client.Version())+` \(commit .+; go\d.+\)\n$`, r.out)
	build := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-11-25T10:00:00Z"},
	}}
	assert.Contains(t, describeBuild(build), "commit 0123456789ab, with changes, 2026-11-25T10:00:00Z; "+runtime.Version())
	assert.Contains(t, describeBuild(nil), "(commit unknown;")
}

func TestEnvFileIsReadAndGivesWayToTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	content := "# from the console\nexport " + urlVariable + "=\"https://file.example\"\n" + tokenVariable + "='from file'\n" + databaseVariable + "=postgres://x\n"
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	unsetRedis(t)
	t.Setenv(databaseVariable, "")
	require.Zero(t, restash(t, "commands", "get", "--env-file", file).status)
	assert.Equal(t, "https://file.example", os.Getenv(urlVariable))
	assert.Equal(t, "from file", os.Getenv(tokenVariable))
	assert.Equal(t, "postgres://x", os.Getenv(databaseVariable))

	unsetRedis(t)
	t.Setenv("KV_REST_API_URL", "https://shell.example")
	require.Zero(t, restash(t, "commands", "get", "--env-file", file).status)
	assert.Empty(t, os.Getenv(urlVariable), "a pair of the file would win over the shell's other pair")

	require.Zero(t, restash(t, "commands", "get", "--rest-url", "https://flag.example", "--rest-token", "t").status)
	assert.Equal(t, "https://flag.example", os.Getenv(urlVariable))
	assert.Equal(t, "t", os.Getenv(tokenVariable))
}

func TestEnvFileThatIsNoneIsNotPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.WriteFile(file, []byte("UPSTASH_REDIS_REST_TOKEN \"s3cret\n"), 0o600))
	r := restash(t, "commands", "--env-file", file)
	assert.Equal(t, exitUsage, r.status)
	assert.NotContains(t, r.errs, "s3cret")
}

func TestCommandsByPrefixAndAsJSON(t *testing.T) {
	r := restash(t, "commands", "zadd", "--json")
	require.Zero(t, r.status)
	assert.Contains(t, r.out, `{"name":"ZADD","group":"sorted-set","read":false`)
	assert.NotContains(t, r.out, "ZCARD")
}
