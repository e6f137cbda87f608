package restash_test

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxLines is the most that a hand-written file may have: one idea a file.
const maxLines = 500

func TestTreeNoFileThatSwitchesVercelToAnotherBuild(t *testing.T) {
	for _, path := range []string{"main.go", "cmd/server", "cmd/api", "go.work"} {
		_, err := os.Stat(path)
		assert.ErrorIsf(t, err, os.ErrNotExist, "%s must not be there", path)
	}
}

func TestTreeFilesAreShort(t *testing.T) {
	check := func(path string) {
		if strings.HasSuffix(path, "_gen.go") {
			return
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		lines := bytes.Count(content, []byte("\n"))
		assert.LessOrEqualf(t, lines, maxLines, "%s has too many lines", path)
	}
	for _, suffix := range []string{".go", ".md", ".sh", ".sql"} {
		sources(t, suffix, check)
	}
}

// Nothing that a build makes was added to the repository.
func TestTreeHoldsNoBinaries(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("not a checkout of git")
	}
	for path := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if info, err := os.Stat(path); err == nil {
			assert.LessOrEqualf(t, info.Size(), int64(256<<10), "%s does not belong here", path)
		}
	}
}

// TestTreeEveryPackageSaysWhatItDoes wants a doc.go in each folder, whose
// first sentence is the package's summary in `go doc`. Vercel makes a function
// of every file in api, so the comment is in a function's file there.
func TestTreeEveryPackageSaysWhatItDoes(t *testing.T) {
	mod := module(t)
	for _, p := range packages(t) {
		folder := p.folder(mod)
		if folder == "api" || strings.HasPrefix(folder, "api/") {
			_, err := os.Stat(filepath.Join(p.Dir, "doc.go"))
			assert.ErrorIsf(t, err, os.ErrNotExist, "%s/doc.go would become a function", folder)
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, "doc.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
		if !assert.NoErrorf(t, err, "%s", folder) || !assert.NotNilf(t, file.Doc, "%s/doc.go has no comment", folder) {
			continue
		}
		start := "Package " + p.Name + " "
		if p.Name == "main" {
			start = "Command " + filepath.Base(folder) + " "
		}
		text := file.Doc.Text()
		assert.Truef(t, strings.HasPrefix(text, start), "%s/doc.go begins with %q, want %q", folder, firstLine(text), start)
		var pkg doc.Package
		synopsis := pkg.Synopsis(text)
		assert.Truef(t, strings.HasSuffix(synopsis, "."), "%s: the first sentence has no end: %q", folder, synopsis)
		assert.Greaterf(t, len(strings.Fields(synopsis)), 4, "%s: the first sentence says too little: %q", folder, synopsis)
		assert.Equalf(t, []string{"doc.go"}, packageComments(t, p.Dir), "%s: the package comment belongs in doc.go alone", folder)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// packageComments names the files in dir that carry a package comment.
func packageComments(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var with []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		require.NoError(t, err)
		if file.Doc != nil && strings.HasPrefix(file.Doc.Text(), "Package ") || file.Doc != nil && filepath.Base(path) == "doc.go" {
			with = append(with, filepath.Base(path))
		}
	}
	return with
}

// TestTreeEveryPublicPackageHasAnExample wants at least one Example whose
// output `go test` compares.
func TestTreeEveryPublicPackageHasAnExample(t *testing.T) {
	mod := module(t)
	for _, p := range packages(t) {
		folder := p.folder(mod)
		if p.Name == "main" || strings.Contains("/"+folder+"/", "/internal/") || folder == "api" || strings.HasPrefix(folder, "api/") {
			continue
		}
		examples := examplesIn(t, p.Dir)
		assert.Truef(t, slices.ContainsFunc(examples, func(e *doc.Example) bool { return e.Output != "" }),
			"%s has no Example with an Output", folder)
	}
}

func examplesIn(t *testing.T, dir string) []*doc.Example {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	return doc.Examples(files...)
}
