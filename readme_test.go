package restash_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// TestReadme_codeIsTheCodeOfExamples wants every Go block of README.md as a
// run of lines in the body of an Example, which `go test` compiles and runs.
func TestReadme_codeIsTheCodeOfExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := goBlock.FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, blocks, "README.md shows no code")
	bodies := exampleBodies(t)
	for _, block := range blocks {
		code := tidy(block[1])
		found := ""
		for name, body := range bodies {
			if strings.Contains("\n"+body+"\n", "\n"+code+"\n") {
				found = name
			}
		}
		assert.NotEmptyf(t, found, "no Example has this code of README.md:\n%s", code)
	}
}

// TestReadme_hasNoInstallLine: the module is not published, so `go get` would
// fail for a reader.
func TestReadme_hasNoInstallLine(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.NotContains(t, string(readme), "go get")
}

// exampleBodies maps the name of each Example of the module to its code.
func exampleBodies(t *testing.T) map[string]string {
	t.Helper()
	bodies := map[string]string{}
	sources(t, "_test.go", func(path string) {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Example") {
				continue
			}
			body := source[files.Position(fn.Body.Lbrace).Offset+1 : files.Position(fn.Body.Rbrace).Offset]
			bodies[path+": "+fn.Name.Name] = tidy(string(body))
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
