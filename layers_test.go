package restash_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// layers are the files of packages that are too big to be read in any order,
// from the top down: a file uses what files behind it define, and nothing else.
// A new file goes above all that it uses.
var layers = map[string]string{
	"strategies": "write warm get tagging option cache shape store executor key errors config tags status codec",
	"strategies/internal/engine": "get lookup audit refresh execute run store behind lease late lifecycle stats item local write strict " +
		"encode job read backoff place invalidate redis fleet saving msetex class options engine quota pending tracker counters topkeys decide " +
		"recent snapshot tokens status errors command",
}

func TestLayersFilesUseWhatIsBelowThem(t *testing.T) {
	for dir, order := range layers {
		fset := token.NewFileSet()
		files := packageFiles(t, fset, dir)
		rank := map[string]int{}
		for i, name := range strings.Fields(order) {
			rank[name] = i + 1
		}
		for _, f := range files {
			name := fileOf(fset, f.Pos())
			assert.NotZerof(t, rank[name], "%s/%s.go has no place in the layers", dir, name)
		}
		for use, object := range packageUses(fset, dir, files) {
			from, to := fileOf(fset, use.Pos()), fileOf(fset, object.Pos())
			assert.LessOrEqualf(t, rank[from], rank[to], "%s/%s.go uses %s of %s.go, which stands above it: move one of them",
				dir, from, object.Name(), to)
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
