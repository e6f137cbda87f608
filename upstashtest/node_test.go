package upstashtest_test

import (
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

// The official SDK talks to the server, by testdata/node/check.mjs. It is
// skipped without node or without the module (npm ci in that folder), and
// fails instead where RESTASH_REQUIRE names node.
func TestOfficialSDK(t *testing.T) {
	dir := filepath.Join("testdata", "node")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", "@upstash", "redis"))
	}
	if err != nil {
		if slices.Contains(strings.FieldsFunc(os.Getenv("RESTASH_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' }), "node") {
			t.Fatal("RESTASH_REQUIRE demands node: run npm ci in upstashtest/testdata/node:", err)
		}
		t.Skip("no node, or @upstash/redis is not installed")
	}
	s := upstashtest.Run(t)
	cmd := exec.CommandContext(t.Context(), node, "check.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "UPSTASH_REDIS_REST_URL="+s.URL, "UPSTASH_REDIS_REST_TOKEN="+s.Token)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, 14, strings.Count("\n"+string(out), "\nok "), string(out))
}
