//go:build !race

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The recipe of examples/node works: its test starts this program and speaks
// to it with the official SDK. It is skipped without node or npm ci in that
// folder, and fails instead where RESTASH_REQUIRE names node.
func TestNodeRecipe(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "node")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", "@upstash", "redis"))
	}
	if err != nil {
		require.NotContains(t, os.Getenv("RESTASH_REQUIRE"), "node", "run npm ci in examples/node: %v", err)
		t.Skip("no node, or npm ci was not run in examples/node")
	}
	binary, err := build()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, "--test")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RESTASH_BIN="+binary)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "# pass 2", string(out))
}

// The release configuration
// names all six platforms, and nothing needs cgo.
func TestReleaseTargets(t *testing.T) {
	config, err := os.ReadFile(filepath.Join("..", "..", ".goreleaser.yaml"))
	require.NoError(t, err)
	for _, want := range []string{"goos: [linux, darwin, windows]", "goarch: [amd64, arm64]", "CGO_ENABLED=0", "main: ./cmd/restash"} {
		assert.Contains(t, string(config), want)
	}
	image, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	for _, want := range []string{"FROM scratch", "CGO_ENABLED=0", "USER 65534", `HEALTHCHECK`, `"serve", "--check"`} {
		assert.Contains(t, string(image), want)
	}
	assert.True(t, strings.HasSuffix(strings.TrimSpace(string(image)), `CMD ["serve"]`))
}
