package restash_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Vercel's builder (@vercel/go) rewrites the files of api/ as text, knowing no
// Go. These tests keep out of them what it would rewrite wrongly; .ci/check-vercel.sh
// runs the builder itself.

// devClause is what `vercel dev` replaces, once, with "package main". It is
// meant to find the package clause, and takes a comment that speaks of one.
var devClause = regexp.MustCompile(`\bpackage\W+\S+\b`)

// vercelFaults says what the builder would do wrongly with one file of api/.
func vercelFaults(source string) []string {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "function.go", source, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	at := files.Position(file.Package).Offset
	if first := devClause.FindStringIndex(source); first == nil || first[0] != at {
		faults = append(faults, fmt.Sprintf("vercel dev takes %q for the package clause", devClause.FindString(source)))
	}
	functions := handlers(source, files, file)
	if len(functions) != 1 {
		return append(faults, fmt.Sprintf("%d functions of (http.ResponseWriter, *http.Request) are exported, want 1", len(functions)))
	}
	// The function is renamed wherever its name stands after a blank.
	renamed := regexp.MustCompile(` ` + functions[0] + `\b`)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind == token.STRING && renamed.MatchString(n.Value) {
				faults = append(faults, "the builder renames "+functions[0]+" in the text "+n.Value)
			}
		case *ast.TypeSpec:
			if n.Name.Name == functions[0] {
				faults = append(faults, "the builder renames the type "+functions[0])
			}
		}
		return true
	})
	return faults
}

// handlers names the exported functions that the builder would take: it looks
// for these two texts in the parameters, so that a renamed import hides one.
func handlers(source string, files *token.FileSet, file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		f, isFunc := decl.(*ast.FuncDecl)
		if !isFunc || f.Recv != nil || !f.Name.IsExported() {
			continue
		}
		params := source[files.Position(f.Type.Params.Pos()).Offset:files.Position(f.Type.Params.End()).Offset]
		if strings.Contains(params, "http.ResponseWriter") && strings.Contains(params, "*http.Request") {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

func TestVercelTheBuilderFindsItsWayInApi(t *testing.T) {
	folders := map[string]string{}
	sources(t, ".go", func(path string) {
		if !strings.HasPrefix(path, "api/") {
			return
		}
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, fault := range vercelFaults(string(source)) {
			t.Errorf("%s: %s", path, fault)
		}
		folder := filepath.Dir(path)
		assert.Emptyf(t, folders[folder], "%s: vercel dev copies one file and builds it alone; %s is not seen", path, folders[folder])
		folders[folder] = path
	})
	assert.NotEmpty(t, folders)
}

// The builder appends lines to go.mod, and reads the first "module" in it.
func TestVercelTheBuilderCanAppendToGoMod(t *testing.T) {
	content, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(content), "module "), "go.mod begins with the module's path")
	assert.True(t, strings.HasSuffix(string(content), "\n"), "go.mod ends with a line's end")
}

func TestVercelFaults(t *testing.T) {
	const head, tail = "// Package handler is one function.\n", "package handler\n\nimport \"net/http\"\n\nfunc Index(w http.ResponseWriter, r *http.Request) {}\n"
	for _, tt := range []struct{ name, source, want string }{
		{"as it should be", head + tail, ""},
		{"a comment that speaks of a package", head + "// It imports no internal package of this module.\n" + tail, `"package of"`},
		{"a comment over two lines", head + "// It is a package\n// that has routes.\n" + tail, "vercel dev takes"},
		{"a comment behind the clause", head + tail + "\n// a package of routes\n", ""},
		{"a hidden handler", head + strings.ReplaceAll(strings.ReplaceAll(tail, "http.", "nh."), `"net/http"`, `nh "net/http"`), "0 functions"},
		{"a helper above it", head + tail + "\nfunc Help(w http.ResponseWriter, r *http.Request) {}\n", "2 functions"},
		{"its name in a text", head + tail + "\nvar title = \"The Index of all\"\n", "in the text"},
		{"no Go", "packag handler", "expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := strings.Join(vercelFaults(tt.source), "; ")
			if tt.want == "" {
				assert.Empty(t, faults)
				return
			}
			assert.Contains(t, faults, tt.want)
		})
	}
}
