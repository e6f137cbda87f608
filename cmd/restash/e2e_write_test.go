//go:build !race

package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDevANewExtensionIsInTheNextList(t *testing.T) {
	d := dev(t, nil)
	const list, unrelated = "/api/extensions?sort=recent", "/api/mcp?sort=rating"
	for _, path := range []string{list, unrelated} {
		d.expect(miss, path)
		d.expect(hit, path)
	}
	before := d.expect(hit, list).list(t)
	created := send(t, http.MethodPost, d.url+"/api/extensions", `{"name":"@ada/engine","version":"1.0.0","category":"devtools"}`)
	require.Equal(t, http.StatusCreated, created.status, created.body)

	after := d.expect(miss, list).list(t)
	assert.NotEqual(t, before.Extensions[0].ID, after.Extensions[0].ID)
	assert.Equal(t, "ada-engine", after.Extensions[0].ID)
	assert.Equal(t, before.Pagination.Total+1, after.Pagination.Total)
	d.expect(hit, unrelated)
	d.expect(hit, list)
	assert.Zero(t, d.metrics().Cache.Pending)
}

// TestDevBadInput sends what no browser would, and looks at what is left.
func TestDevBadInput(t *testing.T) {
	d := dev(t, nil)
	long := strings.Repeat("x", 1<<20+8<<10) // more than net/http takes by itself
	tests := []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/api/extensions?page=0", "", 400},
		{"GET", "/api/extensions?limit=100000", "", 400},
		{"GET", "/api/extensions?sort=;drop", "", 400},
		{"GET", "/api/extensions?sort=%3Bdrop", "", 400},
		{"GET", "/api/extensions?search=" + long, "", 413},
		{"GET", "/api/extensions/no-such-id", "", 404},
		{"GET", "/api/users/no-such-user", "", 404},
		{"POST", "/api/extensions", "{", 400},
		{"POST", "/api/extensions", `{"name":"` + long + `"}`, 413},
		{"PUT", "/api/extensions/no-such-id", `{"version":"2"}`, 404},
		{"POST", "/api/cache/invalidate", `{"all":true}`, 403},
		{"GET", "/api/cron/warm", "", 403},
	}
	for _, tt := range tests {
		name := tt.method + " " + tt.path[:min(len(tt.path), 40)]
		for range 2 {
			a := send(t, tt.method, d.url+tt.path, tt.body)
			assert.Equal(t, tt.want, a.status, "%s: %.200s", name, a.body)
			assert.NotEqual(t, hit, a.state(), "%s is cached", name)
			assertJSONError(t, name, a)
		}
	}
	assert.Equal(t, 247, d.get("/api/extensions").list(t).Pagination.Total, "nothing is lost")
}

func assertJSONError(t *testing.T, name string, a answer) {
	t.Helper()
	var body struct{ Code, Message string }
	assert.NoError(t, json.Unmarshal([]byte(a.body), &body), "%s: %.200s", name, a.body)
	assert.NotEmpty(t, body.Code, name)
	assert.NotEmpty(t, body.Message, name)
}

// TestDevOffLoopbackWritesNeedTheirToken goes by the address that dev listens
// on: a request by 127.0.0.1 is refused all the same.
func TestDevOffLoopbackWritesNeedTheirToken(t *testing.T) {
	d := dev(t, []string{"CATALOG_WRITE_TOKEN=let-me"}, "--addr", "0.0.0.0:0")
	require.Contains(t, d.url, "http://127.0.0.1:")
	for _, path := range []string{"/api/extensions", "/api/login", "/api/extensions/openai-codex/download"} {
		a := send(t, http.MethodPost, d.url+path, "{}")
		assert.Equal(t, http.StatusForbidden, a.status, path)
		assertJSONError(t, path, a)
	}
	a := send(t, http.MethodPost, d.url+"/api/extensions/openai-codex/download", "", func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer let-me")
	})
	assert.Equal(t, http.StatusOK, a.status, a.body)
}
