package client_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// Under GOOS=js the default transport is the host's fetch. Node runs the program under
// another name: net/http does not use fetch in a process that is called node.
func TestJSWorksOverFetch(t *testing.T) {
	program := wasm(t, "js", "./testdata/js")
	node, err := exec.LookPath("node")
	require.NoError(t, err)
	srv := upstashtest.Run(t)
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js"), program)
	cmd.Args[0] = "edge"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "UPSTASH_REDIS_REST_URL=" + srv.URL, "UPSTASH_REDIS_REST_TOKEN=" + srv.Token}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "get Ada ä <nil>\npipeline 1 true <nil>\ncache hello MISS <nil>\ncache hello HIT <nil>\n", string(out))
}

// Where there is neither fetch nor a socket the host's transport comes by
// Config.HTTPClient.
func TestJSWasip1Builds(t *testing.T) {
	wasm(t, "wasip1", "./testdata/js")
}

func wasm(t *testing.T, system, pkg string) (program string) {
	t.Helper()
	if !slices.Contains(strings.FieldsFunc(os.Getenv("RESTASH_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' }), "node") {
		t.Skip("compiles everything anew, for a minute: RESTASH_REQUIRE=node asks for it")
	}
	program = filepath.Join(t.TempDir(), "program.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=wasm", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	f, err := os.Open(program)
	require.NoError(t, err)
	defer f.Close()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	plain, err := io.Copy(z, f)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	t.Logf("%s: %d KiB, %d KiB gzipped", system, plain>>10, packed.Len()>>10)
	return program
}
