package restash_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// listed is what the repository tests read of one package of `go list -json`.
type listed struct {
	ImportPath   string
	Name         string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Standard     bool
	Module       *struct{ Path string }
}

// modulePath reads go.mod's path, so that `make rename` breaks no test here.
var modulePath = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m").Output()
	return strings.TrimSpace(string(out)), err
})

// allPackages lists the packages of this module once for all tests.
var allPackages = sync.OnceValues(func() ([]listed, error) { return goList("./...") })

func module(t *testing.T) string {
	t.Helper()
	path, err := modulePath()
	require.NoError(t, err)
	return path
}

func packages(t *testing.T) []listed {
	t.Helper()
	all, err := allPackages()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// folder is a package's place in the tree: "." for the root, else "client/command".
func (p listed) folder(module string) string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

func goList(args ...string) ([]listed, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"list", "-json"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New(stderr.String())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// sources calls visit with every file of the tree whose name ends in suffix.
func sources(t *testing.T, suffix string, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() && entry.Name() == "node_modules":
			return filepath.SkipDir
		case !entry.IsDir() && strings.HasSuffix(path, suffix):
			visit(filepath.ToSlash(path))
		}
		return nil
	})
	require.NoError(t, err)
}
