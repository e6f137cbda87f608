package restash_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fuzzWith runs .ci/fuzz.sh with a go command that fails with the given output.
func fuzzWith(t *testing.T, output string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "output"), []byte(output), 0o600))
	stub := "#!/bin/sh\ncat \"$(dirname \"$0\")/output\"\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go"), []byte(stub), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "x_test.go"), []byte("package x\n\nfunc FuzzX(f *testing.F) {}\n"), 0o600))
	cmd := exec.Command(".ci/fuzz.sh", "1s", folder)
	cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What the Go tool reports when its own time is up is no finding; everything
// else that fails is one.
func TestCIFuzzingKnowsTheFalseAlarm(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	const head = "fuzz: elapsed: 5s, execs: 812 (0/sec), new interesting: 1 (total: 9)\n--- FAIL: FuzzX (5.01s)\n"
	const tail = "FAIL\nexit status 1\nFAIL\texample.com/x\t5.02s\n"
	out, err := fuzzWith(t, head+"    context deadline exceeded\n"+tail)
	assert.NoError(t, err, out)
	for name, failure := range map[string]string{
		"a finding":          "    --- FAIL: FuzzX (0.00s)\n        x_test.go:9: context deadline exceeded\n    \n    Failing input written to testdata/fuzz/FuzzX/0a1b\n",
		"a seed that failed": "    --- FAIL: FuzzX/seed#0 (0.00s)\n        x_test.go:9: wrong\n",
		"a worker that died": "    fuzzing process hung or terminated unexpectedly: exit status 2\n",
		"more than one":      "    context deadline exceeded\n    x_test.go:9: wrong\n",
	} {
		out, err := fuzzWith(t, head+failure+tail)
		assert.Error(t, err, name)
		assert.Contains(t, out, failure, name)
	}
	out, err = fuzzWith(t, "x_test.go:3:1: expected 'package'\n")
	assert.Error(t, err, "a compiler's error")
	assert.Contains(t, out, "expected 'package'")
}
