package restash_test

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The numbers of hand-written code that is no test. `make house` prints them.
const (
	medianLines   = 7  // half of the functions are this short
	longLines     = 22 // nine in ten are this short
	mostLines     = 50
	mostDecisions = 15 // cyclomatic complexity
)

// function is one function's size.
type function struct {
	name             string // with its file and line
	lines, decisions int
}

func TestHouseFunctionsAreShort(t *testing.T) {
	all := functions(t)
	slices.SortFunc(all, func(a, b function) int { return cmp.Compare(a.lines, b.lines) })
	at := func(share float64) int { return all[int(share*float64(len(all)-1))].lines }
	t.Logf("%d functions: p50 %d lines, p90 %d, p99 %d, the longest %d", len(all), at(0.5), at(0.9), at(0.99), at(1))
	assert.LessOrEqual(t, at(0.5), medianLines, "half of all functions")
	assert.LessOrEqual(t, at(0.9), longLines, "nine functions in ten")
	for _, f := range all {
		assert.LessOrEqualf(t, f.lines, mostLines, "%s has too many lines", f.name)
		assert.LessOrEqualf(t, f.decisions, mostDecisions, "%s decides too much", f.name)
	}
}

// TestHouseEveryExportedNameIsExplained wants a sentence above each exported
// name of packages that users import; a group's sentence counts for its members.
func TestHouseEveryExportedNameIsExplained(t *testing.T) {
	for path, file := range goFiles(t) {
		if file.Name.Name == "main" || strings.Contains("/"+path, "/internal/") || strings.HasPrefix(path, "api/") {
			continue
		}
		for _, decl := range file.Decls {
			for name, explained := range exported(decl) {
				assert.Truef(t, explained, "%s: %s has no sentence", path, name)
			}
		}
	}
}

// TestHouseTestsAreNamedInOneStyle wants names that are sentences: what holds, or
// what something does, without underscores.
func TestHouseTestsAreNamedInOneStyle(t *testing.T) {
	name := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w*_\w*)\(`)
	sources(t, "_test.go", func(path string) {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range name.FindAllSubmatch(source, -1) {
			t.Errorf("%s: %s has an underscore; say it as a sentence", path, m[1])
		}
	})
}

// exported maps the exported names that decl declares to whether a comment
// explains them.
func exported(decl ast.Decl) map[string]bool {
	names := map[string]bool{}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
			names[d.Name.Name] = d.Doc != nil
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					names[s.Name.Name] = d.Doc != nil || s.Doc != nil || s.Comment != nil
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() {
						names[n.Name] = d.Doc != nil || s.Doc != nil || s.Comment != nil
					}
				}
			}
		}
	}
	return names
}

func receiver(d *ast.FuncDecl) string {
	name := ""
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

func functions(t *testing.T) []function {
	t.Helper()
	var all []function
	fset := token.NewFileSet()
	for path, file := range parsed(t, fset) {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			from, to := fset.Position(f.Body.Lbrace).Line, fset.Position(f.Body.Rbrace).Line
			all = append(all, function{name: path + " " + f.Name.Name, lines: max(to-from-1, 0), decisions: decisions(f)})
		}
	}
	require.NotEmpty(t, all)
	return all
}

// decisions counts the ways to go on in f, the functions in it included.
func decisions(f *ast.FuncDecl) int {
	n := 1
	ast.Inspect(f, func(node ast.Node) bool {
		switch v := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if v.List != nil { // a default is no decision
				n++
			}
		case *ast.CommClause:
			if v.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if v.Op == token.LAND || v.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

func goFiles(t *testing.T) map[string]*ast.File { return parsed(t, token.NewFileSet()) }

// parsed reads every hand-written file of the repository that is no test.
func parsed(t *testing.T, fset *token.FileSet) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	sources(t, ".go", func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			return
		}
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files[path] = file
	})
	return files
}
