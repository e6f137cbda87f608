package handler_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

func TestMetricsEndpoint(t *testing.T) {
	r := newRig(t)
	var runs atomic.Int64
	mux := route(r.store, "GET /x", listConfig(), counting(&runs))
	for range 4 {
		get(mux, "/x")
	}
	metrics := handler.Metrics(r.store)
	a := get(metrics, "/")
	assert.Equal(t, "application/json", a.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	assert.Contains(t, a.Body, `"hits":3,"misses":1,"errors":0,"hitRate":0.75,`)
	assert.Contains(t, a.Body, `"totalRequests":4},"scope":"instance"`)
	assert.Contains(t, a.Body, `{"name":"list","hits":3,"stale":0,"misses":1,`)
	text := get(metrics, "/", "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3,*/*;q=0.1")
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", text.Header.Get("Content-Type"))
	assert.Contains(t, text.Body, "\nrestash_hits_total 3\n")
	assert.Contains(t, text.Body, `restash_http_answers_total{preset="list",result="hit"} 3`)
	assert.Regexp(t, `restash_handle_commands_total\{handle="[^"]+"\} [1-9]`, text.Body)
	assert.Equal(t, http.StatusMethodNotAllowed, ask(metrics, http.MethodPost, "/").Status)

	locked := handler.Metrics(r.store, handler.Secret("s3cret"))
	assert.Equal(t, 401, get(locked, "/").Status)
	assert.Equal(t, 401, get(locked, "/", "Authorization: Bearer wrong").Status)
	assert.Equal(t, 200, get(locked, "/", "Authorization: Bearer s3cret").Status)
}

func post(h http.Handler, target, body string, fields ...string) answer {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func TestPurgeEndpoint(t *testing.T) {
	r := newRig(t, func(c *strategies.StoreConfig) { c.Soft = true })
	const auth = "Authorization: Bearer s3cret"
	var runs atomic.Int64
	mux := route(r.store, "GET /x/{id}", func() handler.Config {
		cfg := listConfig()
		cfg.Tags = []string{"x:{id}"}
		return cfg
	}(), counting(&runs))
	purge := handler.Purge(r.store, handler.Secret("s3cret"))
	fill := func() {
		for _, p := range []string{"/x/a", "/x/b", "/x/b?page=2"} {
			get(mux, p)
		}
	}
	states := func() [3]string {
		return [3]string{get(mux, "/x/a").cache(), get(mux, "/x/b").cache(), get(mux, "/x/b?page=2").cache()}
	}
	cases := []struct {
		name, target, body string
		want               string
		states             [3]string
	}{
		{"tag", "/", `{"tags":["x:a"]}`, `"targets":"tag(x:a)"`, [3]string{"MISS", "HIT", "HIT"}},
		{"tag in the query", "/?tag=x:a", ``, `"targets":"tag(x:a)"`, [3]string{"MISS", "HIT", "HIT"}},
		{"prefix", "/", `{"prefixes":[{"name":"list","segments":["b"]}]}`, `"commands":1`, [3]string{"HIT", "MISS", "MISS"}},
		{"key", "/", `{"keys":[{"name":"list","key":"` + strategies.Key("b", "/x/b", "", url.Values{}) + `"}]}`, `"commands":1`, [3]string{"HIT", "MISS", "HIT"}},
		{"pattern, only looked at", "/", `{"patterns":[{"name":"list","glob":"b*"}]}`, `"dryRun":true,`, [3]string{"HIT", "HIT", "HIT"}},
		{"pattern", "/", `{"patterns":[{"name":"list","glob":"b*"}],"dryRun":false}`, `"keys":2`, [3]string{"HIT", "MISS", "MISS"}},
		{"pattern, without a word", "/", `{"patterns":[{"name":"list","glob":"b*"}],"tags":["x:a"]}`, `"dryRun":true,"commands":2,`, [3]string{"HIT", "HIT", "HIT"}},
		{"tag, dry", "/?tag=x:a&dryRun=true", ``, `"dryRun":true,"commands":1,"trips":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"prefix, dry", "/", `{"prefixes":[{"name":"list","segments":["b"]}],"dryRun":true}`, `"dryRun":true,"commands":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"key, dry", "/", `{"keys":[{"name":"list","key":"x"},{"name":"list","key":"y"}],"dryRun":true}`, `"dryRun":true,"commands":2,`, [3]string{"HIT", "HIT", "HIT"}},
		{"all, dry", "/", `{"all":true,"dryRun":true}`, `"dryRun":true,"commands":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"all", "/", `{"all":true}`, `"targets":"all"`, [3]string{"MISS", "MISS", "MISS"}},
		{"soft", "/", `{"tags":["x:a"],"soft":true}`, `soft tag`, [3]string{"STALE", "HIT", "HIT"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fill()
			a := post(purge, c.target, c.body, auth)
			require.Equal(t, 200, a.Status, a.Body)
			assert.Contains(t, a.Body, c.want)
			assert.Equal(t, c.states, states())
		})
	}
	assert.Equal(t, 401, post(purge, "/", `{"all":true}`).Status)
	assert.Equal(t, 401, post(purge, "/", `{"all":true}`, "Authorization: Bearer s3cre").Status)
	assert.Equal(t, 403, post(handler.Purge(r.store), "/", `{"all":true}`, auth).Status)
	assert.Equal(t, 403, post(handler.Purge(r.store, handler.Secret("")), "/", `{"all":true}`, "Authorization: Bearer ").Status)
	for target, body := range map[string]string{
		"/": `{"alll":true}`, "/?": `{"all":true,"dry_run":true}`, "/?&": `{"All":true}`, "/?&&": `{"tags":["a"],"keys":[{"name":"list","Key":"k"}]}`,
		"/?tags=a": ``, "/?tag=a&dry_run=true": ``, "/?tag=a&dryRun=yes": ``, "/?tag=a&budget=x": ``, "/?all": `{"all":true} x`,
		"/?&&&": `{"prefixes":[{"name":"list","segment":["b"]}]}`, "/?&&&&": `{"all":"true"}`, "/?&&&&&": `{"all":true,"all":false}`,
	} {
		a := post(purge, target, body, auth)
		assert.Equal(t, 400, a.Status, "%s %s: %s", target, body, a.Body)
		assert.Contains(t, a.Body, `"code":"invalid_request","message":`)
	}
	assert.Contains(t, post(purge, "/?tagg=1&drYrun=1", `{"alll":true}`, auth).Body, "drYrun, tagg, alll")
	assert.Equal(t, "HIT", func() string { get(mux, "/x/a"); return get(mux, "/x/a").cache() }(), "nothing of that purged anything")
	assert.Equal(t, 400, post(purge, "/", `{`, auth).Status)
	assert.Equal(t, 400, post(purge, "/", ``, auth).Status)
	assert.Equal(t, 400, post(purge, "/", `{"tags":[""]}`, auth).Status)
	assert.Equal(t, 405, get(purge, "/", auth).Status)
}
