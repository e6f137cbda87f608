//go:build !race

package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runs runs the program to its end and returns what it printed.
func runs(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errOut lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// A deployment's namespace comes from VERCEL_ENV, which a shell does not have:
// what warm fills from there, nobody would read.
func TestWarm_fillsTheNamespaceThatIsRead(t *testing.T) {
	d := dev(t, []string{"VERCEL_ENV=production"})
	const path = "/api/categories"
	assert.Contains(t, strings.Join(d.output, "\n"), "go run ./cmd/restash warm --namespace restash-production")

	status, out, errOut := runs(t, d.env, "warm")
	assert.Equal(t, 1, status, out)
	assert.Equal(t, "restash: warm: nobody uses the namespace restash in this database, but restash-production: name one with --namespace\n", errOut)
	status, _, errOut = runs(t, d.env, "warm", "--reader", d.url)
	assert.Equal(t, 1, status)
	assert.Contains(t, errOut, "would find nothing of restash: use --namespace restash-production")
	status, out, errOut = runs(t, d.env, "warm", "--namespace", "restash") // it was said
	assert.Zero(t, status, errOut)
	assert.Contains(t, out, "namespace restash\n")
	d.expect(miss, path)

	status, out, errOut = runs(t, append(d.env, "VERCEL_ENV=preview"), "warm", "--namespace", "restash-production", "--reader", d.url, "--json")
	require.Zero(t, status, errOut)
	var report struct {
		Namespace string
		Failed    int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	assert.Equal(t, "restash-production", report.Namespace)
	d.expect(hit, "/api/stats")
	status, out, errOut = runs(t, append(d.env, "VERCEL_ENV=production"), "warm")
	assert.Zero(t, status, errOut)
	assert.Contains(t, out, "namespace restash-production\n")
}

func TestWarm_aReaderThatTellsNothingStopsIt(t *testing.T) {
	d := dev(t, nil)
	for reader, want := range map[string]string{
		d.rest:                       "does not tell its namespace",
		"http://127.0.0.1:1":         "connection refused",
		"http://catalog.example.com": "https://",
	} {
		status, out, errOut := runs(t, d.env, "warm", "--reader", reader)
		assert.Equal(t, 1, status, out)
		assert.Contains(t, errOut, want)
	}
}

func TestWarm_goesOnWhereItEnded(t *testing.T) {
	d := dev(t, nil)
	status, out, errOut := runs(t, d.env, "warm", "--commands", "15", "--json")
	assert.Equal(t, 1, status, errOut)
	var part struct {
		Next             string
		Warmed, Commands int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &part), out)
	require.NotEmpty(t, part.Next)
	assert.LessOrEqual(t, part.Commands, 17)
	status, out, errOut = runs(t, d.env, "warm", "--from", part.Next, "--concurrency", "3")
	assert.Zero(t, status, errOut)
	assert.Contains(t, out, "failed 0")
	for _, path := range warmedPaths(t, d) {
		d.expect(hit, path)
	}
}
