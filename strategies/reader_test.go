package strategies_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// What Go stored is read by 40 lines of TypeScript through @upstash/redis.
// .ci/run installs and compiles them; without that the test is skipped.
func TestEntriesAreReadByTypeScript(t *testing.T) {
	dir := filepath.Join("..", "internal", "entry", "testdata", "node")
	script := filepath.Join(dir, "build", "main.js")
	if _, err := os.Stat(script); err != nil {
		if strings.Contains(os.Getenv("RESTASH_REQUIRE"), "node") {
			t.Fatal("the reader is required and not built: npm ci && npm run build in ", dir)
		}
		t.Skip("the reader is not built")
	}
	source, err := os.ReadFile(filepath.Join(dir, "reader.ts"))
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(source), "\n"), 40)

	srv := upstashtest.Run(t)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	require.NoError(t, err)
	store := storeOn(t, c)
	pages := strategies.New[map[string]string](store, strategies.Config{Name: "page", TTL: time.Hour, Version: "v1", Tags: []string{"team:7"}})
	type entry struct {
		Fresh, Valid bool
		Value        map[string]string
	}
	read := func(key string) (e entry) {
		cmd := exec.CommandContext(t.Context(), "node", "build/main.js", "restash", "page", "v1", key)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "UPSTASH_REDIS_REST_URL="+srv.URL, "UPSTASH_REDIS_REST_TOKEN="+srv.Token)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.NoError(t, json.Unmarshal(out, &e), string(out))
		return e
	}
	for key, value := range map[string]string{
		"small": "Ada <ö> \"quoted\"", "a:b:c": "x", strategies.Key("ada b", "", nil): "escaped", "big": strings.Repeat("much ", 4000),
	} {
		require.NoError(t, pages.Set(t.Context(), key, map[string]string{"name": value}))
		assert.Equal(t, entry{Fresh: true, Valid: true, Value: map[string]string{"name": value}}, read(key), key)
	}
	_, err = store.Invalidate(t.Context(), invalidate.Tags("team:7"))
	require.NoError(t, err)
	assert.False(t, read("small").Valid)
	require.NoError(t, pages.Set(t.Context(), "a:b:c", nil))
	require.True(t, read("a:b:c").Valid)
	_, err = store.Invalidate(t.Context(), invalidate.Prefix(pages, "a", "b"))
	require.NoError(t, err)
	assert.False(t, read("a:b:c").Valid)
}
