package client_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
)

// The newest official SDK sends no command that our table lacks: so we learn of new
// ones. Without npm or its registry this is skipped, and fails where RESTASH_REQUIRE
// names node.
func TestTableHasWhatTheNewestOfficialSDKSends(t *testing.T) {
	version, source := newestSDK(t)
	ours := map[string]bool{}
	for _, c := range command.Table() {
		first, _, _ := strings.Cut(c.Name, " ")
		ours[first] = true
	}
	theirs := commandsOf(source)
	t.Logf("@upstash/redis %s sends %d commands", version, len(theirs))
	assert.Greater(t, len(theirs), 200, "the source was read wrongly: %v", theirs)
	for _, name := range theirs {
		if name != "CLIENT" { // only SETINFO, which its own tests say does not work over REST
			assert.True(t, ours[name], "@upstash/redis %s sends %s", version, name)
		}
	}
}

var (
	// A command is a class whose first list begins with its name.
	commandClass = regexp.MustCompile(`class extends Command `)
	firstOfList  = regexp.MustCompile(`\[\s*"([A-Za-z][A-Za-z._]*)"`)
	// Those of a module have a prefix, and are found anywhere.
	ofModule = regexp.MustCompile(`"([A-Z]+\.[A-Z]+)"`)
)

// commandsOf lists the names that the SDK's bundled source sends.
func commandsOf(source string) []string {
	names := map[string]bool{}
	for _, class := range commandClass.Split(source, -1)[1:] {
		body, _, _ := strings.Cut(class, "\n};")
		if m := firstOfList.FindStringSubmatch(body); m != nil {
			names[strings.ToUpper(m[1])] = true
		}
	}
	for _, m := range ofModule.FindAllStringSubmatch(source, -1) {
		names[m[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// npm runs npm in dir. Where it or its registry is missing the test is skipped, or
// fails if RESTASH_REQUIRE names node.
func npm(t *testing.T, dir string, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("downloads a package")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", append(args, "--silent", "--fetch-retries=1", "--fetch-timeout=20000")...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case slices.Contains(strings.FieldsFunc(os.Getenv("RESTASH_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' }), "node"):
		t.Fatalf("RESTASH_REQUIRE demands node: %v %s", err, out)
	default:
		t.Skipf("NOT COMPARED with the newest official SDK: %v %s", err, out)
	}
}

// newestSDK downloads what npm calls the latest version.
func newestSDK(t *testing.T) (version, source string) {
	t.Helper()
	dir := t.TempDir()
	npm(t, dir, "pack", "@upstash/redis@latest")
	packed, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	require.NoError(t, err)
	require.Len(t, packed, 1)
	version = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(packed[0]), "upstash-redis-"), ".tgz")
	return version, modules(t, packed[0])
}

// modules joins the ES modules of a package.
func modules(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	unzipped, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	var source strings.Builder
	for files := tar.NewReader(unzipped); ; {
		f, err := files.Next()
		if err == io.EOF {
			return source.String()
		}
		require.NoError(t, err)
		if strings.HasSuffix(f.Name, ".mjs") {
			_, err := io.Copy(&source, files)
			require.NoError(t, err)
		}
	}
}
