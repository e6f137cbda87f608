package restash_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is written for people is held to the code: the pages' Go code compiles,
// their links lead somewhere, and the files and tests that they name exist.
// cmd/restash/docs_test.go holds their shell lines.

// maxReadme is the most lines of README.md: what takes longer has a page in docs.
const maxReadme = 220

// page is one Markdown file of the repository.
type page struct {
	path   string
	text   string // without fenced blocks
	blocks []block
}

// block is one fenced block; info is what follows the fence.
type block struct{ info, text string }

// pages reads every Markdown file but those of test data.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	read := func(name string) {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, parsePage(name, string(content)))
	}
	sources(t, ".md", read)
	hidden, err := filepath.Glob(".github/*.md") // sources skips hidden folders
	require.NoError(t, err)
	for _, name := range hidden {
		read(filepath.ToSlash(name))
	}
	return all
}

func parsePage(name, content string) page {
	p := page{path: name}
	var text strings.Builder
	open, inside := block{}, false
	for line := range strings.Lines(content) {
		fence, isFence := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "```")
		switch {
		case isFence && inside:
			p.blocks, inside = append(p.blocks, open), false
		case isFence:
			open, inside = block{info: fence}, true
		case inside:
			open.text += line
		default:
			text.WriteString(line)
		}
	}
	p.text = text.String()
	return p
}

// TestDocsGoCodeIsTheCodeOfExamples wants every Go block of every page as a run
// of lines in the body of an Example, which `go test` compiles and runs, or as a
// whole program that builds.
func TestDocsGoCodeIsTheCodeOfExamples(t *testing.T) {
	bodies := exampleBodies(t)
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			switch {
			case b.info != "go":
			case strings.HasPrefix(b.text, "package "):
				builds(t, p.path, b.text)
			default:
				code := tidy(b.text)
				found := slices.ContainsFunc(bodies, func(body string) bool {
					return strings.Contains("\n"+body+"\n", "\n"+code+"\n")
				})
				assert.Truef(t, found, "%s: no Example has this code:\n%s", p.path, code)
			}
		}
	}
}

func builds(t *testing.T, name, program string) {
	t.Helper()
	main := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(main, []byte(program), 0o600))
	out, err := exec.Command("go", "build", "-o", os.DevNull, main).CombinedOutput()
	assert.NoErrorf(t, err, "%s: %s\n%s", name, out, program)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
)

func TestDocsLinksLeadSomewhere(t *testing.T) {
	anchors := map[string][]string{}
	all := pages(t)
	for _, p := range all {
		anchors[p.path] = anchorsOf(p)
	}
	for _, p := range all {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(p.text, "x"), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := p.path
			if target != "" {
				file = path.Join(path.Dir(p.path), target)
			}
			_, err := os.Stat(filepath.FromSlash(file))
			assert.NoErrorf(t, err, "%s links to %s", p.path, m[1])
			assert.Falsef(t, strings.HasPrefix(file, ".."), "%s links out of the repository: %s", p.path, m[1])
			if anchor != "" {
				assert.Containsf(t, anchors[file], anchor, "%s links to %s", p.path, m[1])
			}
		}
	}
}

// anchorsOf are the names that GitHub gives to the headings of a page.
func anchorsOf(p page) []string {
	var names []string
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(p.text, -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(m[1]))
		if n := seen[name]; n > 0 {
			names = append(names, fmt.Sprintf("%s-%d", name, n))
		} else {
			names = append(names, name)
		}
		seen[name]++
	}
	return names
}

// variable is the name of a variable of the environment, as the code or its
// comments name them.
var variable = regexp.MustCompile(`\b((UPSTASH|KV_REST|RESTASH|CATALOG|SRH|VERCEL|CRON|CLOUD_RUN|DATABASE)_[A-Z_]*[A-Z]|CACHE_PURGE_SECRET|VERCEL|K_SERVICE)\b`)

// TestDocsEveryVariableIsNamed wants what reads the environment to be found by
// who sets it up: in README.md if it is the SDK, in a page if it is a program.
func TestDocsEveryVariableIsNamed(t *testing.T) {
	var everywhere strings.Builder
	for _, p := range pages(t) {
		content, err := os.ReadFile(p.path)
		require.NoError(t, err)
		everywhere.Write(content)
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	seen := 0
	sources(t, ".go", func(name string) {
		if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata/") {
			return
		}
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		written, where := everywhere.String(), "a page"
		if strings.HasPrefix(name, "client/") || strings.HasPrefix(name, "strategies/") {
			written, where = string(readme), "README.md"
		}
		for _, v := range variable.FindAllString(string(source), -1) {
			seen++
			named := strings.Contains(written, "`"+v+"`") || strings.Contains(written, "`"+v+"=")
			assert.Truef(t, named, "%s reads %s, which %s does not name", name, v, where)
		}
	})
	assert.Greater(t, seen, 50)
}

// TestDocsEveryPageIsListed wants docs/README.md, the table of contents, to
// link to every page of docs.
func TestDocsEveryPageIsListed(t *testing.T) {
	index, err := os.ReadFile("docs/README.md")
	require.NoError(t, err)
	for _, p := range pages(t) {
		if name, ok := strings.CutPrefix(p.path, "docs/"); ok && name != "README.md" {
			assert.Containsf(t, string(index), "]("+name+")", "docs/README.md")
		}
	}
}

func TestDocsReadmeIsShort(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.LessOrEqual(t, bytes.Count(readme, []byte("\n")), maxReadme, "lines of README.md; docs has room")
}

// TestDocsReadmeHasNoInstallLine: the module is not published, so `go get`
// would fail for a reader.
func TestDocsReadmeHasNoInstallLine(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.NotContains(t, string(readme), "go get")
}

var (
	release  = regexp.MustCompile(`/v\d+\.\d+\.\d+$`)
	makeRun  = regexp.MustCompile("^make ([a-z-]+)")
	code     = regexp.MustCompile("`([^`\n]+)`")
	testName = regexp.MustCompile(`^(Test|Fuzz|Benchmark|Example)[A-Z_]?\w*$`)
	fileName = regexp.MustCompile(`^[\w.-]+(/[\w.*-]+)*(\.(go|md|sh|json|yml|golden)|/)$|^[\w.-]+(/[\w.-]+)+$`)
)

// TestDocsNamedFilesAndTestsExist holds what pages put between backquotes: a
// test of that name, a target of make, or a file. A path with a slash counts from the root or, on
// pages of a folder, from there; a bare name may be anywhere.
func TestDocsNamedFilesAndTestsExist(t *testing.T) {
	tests, files := testNames(t), fileNames(t)
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	for _, p := range pages(t) {
		if p.path == "CHANGELOG.md" { // tells of what was
			continue
		}
		for _, m := range code.FindAllStringSubmatch(p.text, -1) {
			name := m[1]
			target := makeRun.FindStringSubmatch(name)
			switch {
			case target != nil:
				assert.Truef(t, strings.Contains(string(makefile), "\n"+target[1]+":"), "%s says %s", p.path, name)
			case testName.MatchString(name):
				assert.Truef(t, tests[name], "%s names the test %s", p.path, name)
			case fileName.MatchString(name) && !foreign(name):
				assert.Truef(t, known(files, path.Dir(p.path), name), "%s names the file %s", p.path, name)
			}
		}
	}
}

// foreign reports whether a name that looks like a path is none of ours: a
// module, a media type, a route, or a file of another project.
func foreign(name string) bool {
	first, rest, _ := strings.Cut(name, "/")
	switch first {
	case "text", "application", "image", "net", "testing", "encoding", "html", "log", "go-redis", "eko":
		return true
	}
	return rest != "" && strings.Contains(first, ".") && !strings.HasPrefix(first, ".") ||
		slices.Contains([]string{"package.json", "main.go", "cmd/api", "cmd/server"}, name) || release.MatchString(name)
}

func known(files map[string]bool, dir, name string) bool {
	name = strings.TrimSuffix(name, "/")
	if strings.Contains(name, "*") {
		found, err := filepath.Glob(filepath.FromSlash(name))
		return err == nil && len(found) > 0
	}
	if files[name] || files[path.Join(dir, name)] {
		return true
	}
	return !strings.Contains(name, "/") && files["*/"+name]
}

// testNames are the names of all tests, fuzz targets, benchmarks and examples.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	sources(t, "_test.go", func(name string) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[fn.Name.Name] = true
			}
		}
	})
	return names
}

// fileNames are the paths of all files and folders, and "*/" before bare names.
func fileNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	add := func(name string) {
		for at := name; at != "."; at = path.Dir(at) {
			names[at] = true
		}
		names["*/"+path.Base(name)] = true
	}
	sources(t, "", add)
	for _, dir := range []string{".ci", ".github"} { // sources skips hidden folders
		found, err := filepath.Glob(dir + "/*")
		require.NoError(t, err)
		for _, name := range found {
			add(filepath.ToSlash(name))
		}
	}
	for _, name := range []string{".golangci.yml", ".gitignore"} {
		add(name)
	}
	return names
}

// elsewhere are documents that a reader of this repository does not have.
var elsewhere = regexp.MustCompile(`\b(design|style|faults|feasibility|caching-peers|serverless|upstash-rest)\.md\b|\.\./shared/`)

// TestDocsNothingCitesWhatIsNotHere: a comment that leans on a document must
// lean on one of the repository.
func TestDocsNothingCitesWhatIsNotHere(t *testing.T) {
	check := func(name string) {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, found := range elsewhere.FindAllString(string(content), -1) {
			_, err := os.Stat("docs/" + found)
			assert.NoErrorf(t, err, "%s cites %s", name, found)
		}
	}
	for _, suffix := range []string{".go", ".md", ".sh", ".sql", ".ts", ".mjs"} {
		sources(t, suffix, func(name string) {
			if name != "docs_test.go" && !strings.HasPrefix(name, "strategies/") {
				check(name)
			}
		})
	}
}

var goName = regexp.MustCompile(`^(\w+)\.([A-Z]\w*)(?:\.([A-Z]\w*))?(?:[({\[].*)?$`)

// TestDocsNamedIdentifiersExist wants every exported name of ours that stands
// between backquotes, such as strategies.Tags or client.Config.Timeout.
func TestDocsNamedIdentifiersExist(t *testing.T) {
	names := exportedNames(t)
	for _, p := range pages(t) {
		if p.path == "CHANGELOG.md" {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(p.text, -1) {
			parts := goName.FindStringSubmatch(m[1])
			if parts == nil || names[parts[1]] == nil {
				continue
			}
			name := parts[2]
			if parts[3] != "" {
				name += "." + parts[3]
			}
			assert.Truef(t, names[parts[1]][name], "%s names %s", p.path, m[1])
		}
	}
}

// exportedNames maps the name of each public package to what it declares:
// functions, types, and "Type.Member".
func exportedNames(t *testing.T) map[string]map[string]bool {
	t.Helper()
	names := map[string]map[string]bool{}
	add := func(pkg, name string) {
		if names[pkg] == nil {
			names[pkg] = map[string]bool{}
		}
		names[pkg][name] = true
	}
	sources(t, ".go", func(name string) {
		if strings.HasSuffix(name, "_test.go") || strings.Contains("/"+name, "/internal/") || strings.Contains(name, "testdata/") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			for _, declared := range declaredNames(decl) {
				add(file.Name.Name, declared)
			}
		}
	})
	return names
}

func declaredNames(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			return []string{receiver(d) + "." + d.Name.Name}
		}
		return []string{d.Name.Name}
	case *ast.GenDecl:
		var all []string
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					all = append(all, n.Name)
				}
			case *ast.TypeSpec:
				all = append(all, s.Name.Name)
				for _, member := range members(s.Type) {
					all = append(all, s.Name.Name+"."+member)
				}
			}
		}
		return all
	}
	return nil
}

func members(typ ast.Expr) []string {
	var list *ast.FieldList
	switch t := typ.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return nil
	}
	var all []string
	for _, f := range list.List {
		for _, n := range f.Names {
			all = append(all, n.Name)
		}
	}
	return all
}
