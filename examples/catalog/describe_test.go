package catalog_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

// described is as much of OpenAPI as the document uses.
type described struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []string
	Items                *schema
	Properties           map[string]schema
	Required             []string
	AdditionalProperties *bool
}

func describedBy(t *testing.T, p *platform) described {
	t.Helper()
	var d described
	p.get("/api/openapi.json").json(&d)
	return d
}

// resolve follows a reference.
func (d described) resolve(t *testing.T, s schema) schema {
	t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		require.Contains(t, d.Components.Schemas, name)
		return d.Components.Schemas[name]
	}
	return s
}

// TestOpenAPIDescribesTheRoutes: no route is missing, none is made up.
func TestOpenAPIDescribesTheRoutes(t *testing.T) {
	p := newPlatform(t)
	var told struct{ Routes []string }
	p.get("/api").json(&told)
	var routes []string
	for path, operations := range describedBy(t, p).Paths {
		for method := range operations {
			routes = append(routes, strings.ToUpper(method)+" "+path)
		}
	}
	assert.ElementsMatch(t, told.Routes, routes)
}

// address fills in a path's parameters.
func address(path string) string {
	id := "openai-codex"
	if strings.HasPrefix(path, "/api/mcp") {
		id = "fastmcp"
	}
	return strings.NewReplacer("{id}", id, "{name}", "openai", "{type}", "mcp").Replace(path)
}

// TestOpenAPIDescribesTheBodies: each body takes the described fields and no
// others.
func TestOpenAPIDescribesTheBodies(t *testing.T) {
	p := newPlatform(t, func(c *catalog.Config) { c.PurgeSecret = "purge" })
	d := describedBy(t, p)
	for path, operations := range d.Paths {
		for method, o := range operations {
			body, has := o.RequestBody.Content["application/json"]
			if !has {
				continue
			}
			fields := d.resolve(t, body.Schema).Properties
			require.NotEmpty(t, fields, path)
			for name := range maps.Keys(fields) {
				got := p.do(strings.ToUpper(method), address(path), fmt.Sprintf(`{%q:null}`, name), "Authorization", "Bearer purge")
				assert.NotContains(t, got.Body.String(), "unknown", "%s %s %s", method, path, name)
			}
			got := p.do(strings.ToUpper(method), address(path), `{"nobodyKnowsIt":1}`, "Authorization", "Bearer purge")
			assert.Equal(t, http.StatusBadRequest, got.Code, path)
			_, message := got.problem()
			assert.Contains(t, message, "nobodyKnowsIt", path)
		}
	}
}

// TestOpenAPIDescribesTheAnswers: what GET answers has the described fields,
// all of them and no others.
func TestOpenAPIDescribesTheAnswers(t *testing.T) {
	p := newPlatform(t)
	d := describedBy(t, p)
	for path, operations := range d.Paths {
		o, ok := operations["get"]
		if !ok || path == "/api/cron/warm" {
			continue
		}
		var got any
		p.get(address(path)).json(&got)
		d.fits(t, path, o.Responses["200"].Content["application/json"].Schema, got)
		var told map[string]any
		require.NoError(t, json.Unmarshal(p.do("GET", address(path)+"?limit=x&page=x", "").Body.Bytes(), &told))
		if told["code"] != nil {
			d.fits(t, path, o.Responses["default"].Content["application/json"].Schema, told)
		}
	}
	created := p.do("POST", "/api/mcp", `{"name":"@ada/engine","version":"1.0.0","category":"data"}`)
	require.Equal(t, http.StatusCreated, created.Code, created.Body)
	var got any
	created.json(&got)
	d.fits(t, "POST /api/mcp", d.Paths["/api/mcp"]["post"].Responses["201"].Content["application/json"].Schema, got)
}

// fits compares a value with its description.
func (d described) fits(t *testing.T, where string, s schema, v any) {
	t.Helper()
	s = d.resolve(t, s)
	switch v := v.(type) {
	case map[string]any:
		assert.Equal(t, "object", s.Type, where)
		for _, name := range s.Required {
			assert.Contains(t, v, name, where)
		}
		for name, field := range v {
			inner, known := s.Properties[name]
			if assert.True(t, known || s.AdditionalProperties == nil, "%s.%s is not described", where, name) && known {
				d.fits(t, where+"."+name, inner, field)
			}
		}
	case []any:
		require.Equal(t, "array", s.Type, where)
		for _, e := range v {
			d.fits(t, where+"[]", *s.Items, e)
		}
	case string:
		assert.Contains(t, fmt.Sprint(s.Type), "string", where)
		assert.True(t, s.Enum == nil || slices.Contains(s.Enum, v), "%s: %q", where, v)
	case float64:
		assert.True(t, s.Type == "number" || s.Type == "integer" && v == float64(int64(v)), "%s: %v", where, v)
	case bool:
		assert.Equal(t, "boolean", s.Type, where)
	case nil:
		assert.Contains(t, fmt.Sprint(s.Type), "null", where)
	}
}
