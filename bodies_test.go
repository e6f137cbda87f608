package restash_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exampleBodies are the bodies of all Examples, those of nested modules among
// them, and of the tests TestDocs..., for code that needs a test around it.
func exampleBodies(t *testing.T) []string {
	t.Helper()
	var bodies []string
	sources(t, "_test.go", func(path string) {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Example") && !strings.HasPrefix(fn.Name.Name, "TestDocs") {
				continue
			}
			body := source[files.Position(fn.Body.Lbrace).Offset+1 : files.Position(fn.Body.Rbrace).Offset]
			bodies = append(bodies, tidy(string(body)))
		}
	})
	return bodies
}

// tidy formats code as gofmt does and removes the indentation that all lines
// share, so that an excerpt compares equal wherever it stood.
func tidy(code string) string {
	code = strings.Trim(code, "\n")
	if formatted, err := format.Source([]byte(code)); err == nil {
		code = string(formatted)
	}
	lines := strings.Split(strings.TrimRight(code, " \t\n"), "\n")
	for strings.HasPrefix(lines[0], "\t") {
		for i := range lines {
			lines[i] = strings.TrimPrefix(lines[i], "\t")
		}
	}
	return strings.Join(lines, "\n")
}
