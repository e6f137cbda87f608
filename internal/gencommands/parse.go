package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// function is one constructor of a command.
type function struct {
	decl    *ast.FuncDecl
	name    string // Redis name
	read    bool
	repeat  bool
	generic bool // its reply type is free: no methods
	stream  bool // it has an endpoint of its own: no methods
}

// source is what was read of package client/command.
type source struct {
	fset      *token.FileSet
	functions []*function
	declared  map[string]bool // every name that the package declares
}

func parse(dir string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	src := &source{fset: token.NewFileSet(), declared: map[string]bool{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			continue
		}
		f, err := parser.ParseFile(src.fset, path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if err := src.file(f); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(src.functions, func(a, b *function) int {
		return strings.Compare(a.decl.Name.Name, b.decl.Name.Name)
	})
	return src, nil
}

func (src *source) file(f *ast.File) error {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			src.names(d)
		case *ast.FuncDecl:
			if d.Recv != nil {
				continue
			}
			src.declared[d.Name.Name] = true
			fn, err := src.function(d)
			if err != nil {
				return fmt.Errorf("%s: %w", d.Name.Name, err)
			}
			if fn != nil {
				src.functions = append(src.functions, fn)
			}
		}
	}
	return nil
}

func (src *source) names(d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			src.declared[s.Name.Name] = true
		case *ast.ValueSpec:
			for _, n := range s.Names {
				src.declared[n.Name] = true
			}
		}
	}
}

// function returns nil for a function that makes no known command.
func (src *source) function(d *ast.FuncDecl) (*function, error) {
	if !d.Name.IsExported() || d.Type.Results == nil || len(d.Type.Results.List) != 1 {
		return nil, nil
	}
	fn := &function{decl: d, generic: d.Type.TypeParams != nil}
	switch t := d.Type.Results.List[0].Type.(type) {
	case *ast.IndexExpr:
		if x, ok := t.X.(*ast.Ident); !ok || x.Name != "Command" {
			return nil, nil
		}
	case *ast.Ident:
		if t.Name != "Stream" {
			return nil, nil
		}
		fn.stream = true
	default:
		return nil, nil
	}
	if slices.Contains([]string{"New", "Raw", "As", "RunScript"}, d.Name.Name) {
		return nil, nil
	}
	if d.Doc == nil {
		return nil, fmt.Errorf("no doc comment")
	}
	return fn, fn.kind()
}

// makers are the functions that say what kind of command is made, with the
// number of words of its name.
var makers = map[string]struct {
	read, repeat bool
	words        int
}{
	"read": {true, true, 1}, "readSub": {true, true, 2},
	"write": {false, false, 1}, "writeSub": {false, false, 2},
	"repeat": {false, true, 1}, "repeatSub": {false, true, 2},
	"stream": {true, false, 1},
}

// kind finds the call of a maker in the body.
func (fn *function) kind() error {
	var err error
	found := false
	ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found {
			return true
		}
		id, ok := call.Fun.(*ast.Ident)
		if !ok {
			return true
		}
		m, ok := makers[id.Name]
		if !ok {
			return true
		}
		found = true
		fn.read, fn.repeat = m.read, m.repeat
		fn.name, err = literals(call.Args, m.words)
		return false
	})
	if !found {
		return fmt.Errorf("no call of read, write or repeat in the body")
	}
	return err
}

// literals joins the first n arguments that are string literals.
func literals(args []ast.Expr, n int) (string, error) {
	var words []string
	for _, a := range args {
		lit, ok := a.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			if len(words) > 0 {
				break
			}
			continue
		}
		w, err := strconv.Unquote(lit.Value)
		if err != nil {
			return "", err
		}
		if words = append(words, w); len(words) == n {
			return strings.Join(words, " "), nil
		}
	}
	return "", fmt.Errorf("the name of the command is not written as %d string literals", n)
}

// row is one line of commands.tsv.
type row struct{ name, group, since string }

func readRows(path string) (map[string]row, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows := map[string]row{}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("%s: a line has %d fields, want 3", path, len(f))
		}
		if f[0] != "command" {
			rows[f[0]] = row{name: f[0], group: f[1], since: f[2]}
		}
	}
	return rows, nil
}
