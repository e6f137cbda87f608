package restash_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mostBack is how many references of a package may run against its order.
const mostBack = 5

// layered is a package whose files have an order, as ARCHITECTURE.md lists it.
type layered struct {
	dir  string
	rank map[string]int
	back int
}

var layerRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([a-z0-9_* ]+) \\| ([0-9]+) \\|$")

func layers(t *testing.T) (all []layered) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	require.NoError(t, err)
	for _, row := range layerRow.FindAllStringSubmatch(string(page), -1) {
		l := layered{dir: row[1], rank: map[string]int{}}
		for i, name := range strings.Fields(row[2]) {
			l.rank[name] = i + 1
		}
		l.back, err = strconv.Atoi(row[3])
		require.NoError(t, err)
		all = append(all, l)
	}
	return all
}

// of is where a file stands; those that a generator wrote stand together.
func (l layered) of(name string) int {
	if strings.HasSuffix(name, "_gen") && l.rank["*_gen"] > 0 {
		return l.rank["*_gen"]
	}
	return l.rank[name]
}

func TestLayersFilesUseWhatIsBelowThem(t *testing.T) {
	for _, l := range layers(t) {
		fset := token.NewFileSet()
		files := packageFiles(t, fset, l.dir)
		for _, f := range files {
			name := fileOf(fset, f.Pos())
			assert.NotZerof(t, l.of(name), "%s/%s.go has no place in the order of its package in ARCHITECTURE.md", l.dir, name)
		}
		back := map[string]bool{}
		for use, object := range packageUses(fset, l.dir, files) {
			from, to := fileOf(fset, use.Pos()), fileOf(fset, object.Pos())
			if l.of(from) > l.of(to) {
				back[from+".go uses "+to+".go"] = true
			}
		}
		list := slices.Sorted(maps.Keys(back))
		assert.LessOrEqual(t, l.back, mostBack, l.dir)
		assert.Lenf(t, list, l.back, "%s: in ARCHITECTURE.md the one stands before the other: move what is used, or the file\n%s",
			l.dir, strings.Join(list, "\n"))
	}
}

// TestLayersNoPackageIsLeftOut wants an order for every package in which one can
// get lost.
func TestLayersNoPackageIsLeftOut(t *testing.T) {
	count := map[string]int{}
	sources(t, ".go", func(name string) {
		dir, base := filepath.Split(name)
		if !strings.HasSuffix(base, "_test.go") && base != "doc.go" && !strings.Contains(dir, "testdata/") {
			count[filepath.Clean(dir)]++
		}
	})
	listed := map[string]bool{}
	for _, l := range layers(t) {
		listed[l.dir] = true
	}
	for dir, n := range count {
		module, err := filepath.Glob(dir + "/go.mod")
		require.NoError(t, err)
		if n >= 3 && (len(module) == 0 || dir == ".") {
			assert.Truef(t, listed[dir], "%s has %d files and no order in ARCHITECTURE.md", dir, n)
		}
	}
}

func packageFiles(t *testing.T, fset *token.FileSet, dir string) (files []*ast.File) {
	paths, err := filepath.Glob(dir + "/*.go")
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "/doc.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	require.NotEmpty(t, files, dir)
	return files
}

func fileOf(fset *token.FileSet, pos token.Pos) string {
	return strings.TrimSuffix(filepath.Base(fset.Position(pos).Filename), ".go")
}

// packageUses are the names of a package's own that its files use: types,
// functions, methods, constants and variables. Fields go with their types. What
// other packages define stays unknown, so nothing but these files is read.
func packageUses(fset *token.FileSet, dir string, files []*ast.File) map[*ast.Ident]types.Object {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := config.Check(dir, fset, files, info) // the compiler has found it right
	own := map[*ast.Ident]types.Object{}
	for use, object := range info.Uses {
		if f, ok := object.(*types.Func); ok {
			object = f.Origin()
		}
		field, isVar := object.(*types.Var)
		local := object.Parent() != pkg.Scope() && !isMethod(object)
		if object.Pkg() == pkg && !local && !(isVar && field.IsField()) {
			own[use] = object
		}
	}
	return own
}

func isMethod(o types.Object) bool {
	f, ok := o.(*types.Func)
	return ok && f.Signature().Recv() != nil
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not read") }

func TestLayersAReferenceUpIsFound(t *testing.T) {
	fset := token.NewFileSet()
	files := packageFiles(t, fset, "strategies/internal/engine")
	var seen []string
	for use, object := range packageUses(fset, "strategies/internal/engine", files) {
		seen = append(seen, fileOf(fset, use.Pos())+" "+object.Name()+" "+fileOf(fset, object.Pos()))
	}
	assert.Contains(t, seen, "get lookup item", "a method")
	assert.Contains(t, seen, "class Options options", "a type")
	assert.Contains(t, seen, "store chunkKeys command", "a constant")
}
