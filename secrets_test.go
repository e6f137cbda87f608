package restash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// everyPrint is v under all verbs that ask a value's methods, in slog and as JSON.
func everyPrint(v any) string {
	var b bytes.Buffer
	for _, verb := range "vsqxXdTtbcoOUeEfFgG" {
		for _, flag := range []string{"", "+", "#", "#+", " ", "0"} {
			fmt.Fprintf(&b, "%"+flag+string(verb)+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "v", v, "list", []any{v}, "in", struct{ V any }{v})
	}
	if text, err := json.Marshal(v); err == nil {
		b.Write(text)
	}
	return b.String()
}

func TestSecretsNoTypePrintsOne(t *testing.T) {
	const secret = "S3cretOfThisTest"
	redis, err := client.New(client.Config{URL: "https://db.upstash.io", Token: secret})
	require.NoError(t, err)
	store, err := strategies.NewStore(redis, strategies.StoreConfig{Namespace: "n"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(t.Context())) })
	users := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
	cfg := upstashtest.Config{InMemory: true, Token: secret, ReadOnlyToken: secret + "2", Tokens: []upstashtest.Token{{Name: "ci", Value: secret + "3"}}}
	srv, err := upstashtest.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	app := catalog.Config{Store: store, WriteToken: secret, PurgeSecret: secret, CronSecret: secret, SessionKey: []byte(secret)}
	c := redis
	for name, v := range map[string]any{
		"client.Config": client.Config{URL: "https://x:" + secret + "@h", Token: secret}, "Client": c, "Pipeline": pipeline.New(c), "Pipeline's value": *pipeline.New(c),
		"StoreConfig": strategies.StoreConfig{}, "Store": store, "Cache": users,
		"upstashtest.Config": cfg, "&Config": &cfg, "Server": srv, "Token": cfg.Tokens[0], "catalog.Config": app, "&catalog.Config": &app,
		"held": struct {
			A any
			b any
		}{app, c},
	} {
		text := everyPrint(v)
		numbers := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), numbers} {
			assert.NotContainsf(t, text, form, "%s tells it", name)
		}
	}
}

// secretName is how fields that hold one are called.
var secretName = regexp.MustCompile(`(?i)(token|secret|password|sessionkey)$`)

// A struct that anybody may print and that holds a credential has a Format of its own.
func TestSecretsEveryTypeThatHoldsOneHasAFormat(t *testing.T) {
	holders, formats := map[string]string{}, map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "tools" || d.Name() == ".git"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if field := credential(n); field != "" {
					holders[filepath.Dir(path)+"."+n.Name.Name] = field
				}
			case *ast.FuncDecl:
				if n.Name.Name == "Format" && n.Recv != nil {
					formats[filepath.Dir(path)+"."+strings.TrimPrefix(typeText(n.Recv.List[0].Type), "*")] = true
				}
			}
			return true
		})
		return nil
	}))
	require.Contains(t, holders, "client.Config")
	require.Contains(t, holders, "upstashtest.Server")
	delete(holders, "internal/entry.Mark") // its token is the version of a tag: no secret
	for name, field := range holders {
		assert.Truef(t, formats[name], "%s holds a credential in %s and prints it", name, field)
	}
}

// credential names an exported struct's field that is one, by its name and kind.
func credential(spec *ast.TypeSpec) string {
	s, ok := spec.Type.(*ast.StructType)
	if !ok || !spec.Name.IsExported() {
		return ""
	}
	for _, field := range s.Fields.List {
		if kind := typeText(field.Type); kind != "string" && kind != "[]byte" {
			continue
		}
		for _, name := range field.Names {
			if secretName.MatchString(name.Name) {
				return name.Name
			}
		}
	}
	return ""
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.ArrayType:
		return "[]" + typeText(e.Elt)
	case *ast.IndexExpr:
		return typeText(e.X)
	}
	return ""
}
