package ops_test

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/strategies"
)

func TestMetricsEndpoint(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	for range 4 {
		rig.Get(mux, "/x")
	}
	metrics := ops.Metrics(r.Store)
	a := rig.Get(metrics, "/")
	assert.Equal(t, "application/json", a.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	assert.Contains(t, a.Body, `"hits":3,"misses":1,"errors":0,"hitRate":0.75,`)
	assert.Contains(t, a.Body, `"totalRequests":4},"scope":"instance"`)
	assert.Contains(t, a.Body, `{"name":"list","hits":3,"stale":0,"misses":1,`)
	text := rig.Get(metrics, "/", "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3,*/*;q=0.1")
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", text.Header.Get("Content-Type"))
	assert.Contains(t, text.Body, "\nrestash_hits_total 3\n")
	assert.Regexp(t, `restash_handle_commands_total\{handle="[^"]+"\} [1-9]`, text.Body)
	assert.Equal(t, http.StatusMethodNotAllowed, rig.Ask(metrics, http.MethodPost, "/").Status)

	locked := ops.Metrics(r.Store, ops.Secret("s3cret"))
	assert.Equal(t, 401, rig.Get(locked, "/").Status)
	assert.Equal(t, 401, rig.Get(locked, "/", "Authorization: Bearer wrong").Status)
	assert.Equal(t, 200, rig.Get(locked, "/", "Authorization: Bearer s3cret").Status)
}

func TestPurgeEndpoint(t *testing.T) {
	r := rig.New(t, func(c *strategies.StoreConfig) { c.Soft = true })
	const auth = "Authorization: Bearer s3cret"
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x/{id}", func() handler.Config {
		cfg := rig.ListConfig()
		cfg.Tags = []string{"x:{id}"}
		return cfg
	}(), rig.Counting(&runs))
	purge := ops.Purge(r.Store, ops.Secret("s3cret"))
	fill := func() {
		for _, p := range []string{"/x/a", "/x/b", "/x/b?page=2"} {
			rig.Get(mux, p)
		}
	}
	states := func() [3]string {
		return [3]string{rig.Get(mux, "/x/a").Cache(), rig.Get(mux, "/x/b").Cache(), rig.Get(mux, "/x/b?page=2").Cache()}
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
			a := rig.Post(purge, c.target, c.body, auth)
			require.Equal(t, 200, a.Status, a.Body)
			assert.Contains(t, a.Body, c.want)
			assert.Equal(t, c.states, states())
		})
	}
	assert.Equal(t, 401, rig.Post(purge, "/", `{"all":true}`).Status)
	assert.Equal(t, 401, rig.Post(purge, "/", `{"all":true}`, "Authorization: Bearer s3cre").Status)
	assert.Equal(t, 403, rig.Post(ops.Purge(r.Store), "/", `{"all":true}`, auth).Status)
	assert.Equal(t, 403, rig.Post(ops.Purge(r.Store, ops.Secret("")), "/", `{"all":true}`, "Authorization: Bearer ").Status)
	for target, body := range map[string]string{
		"/": `{"alll":true}`, "/?": `{"all":true,"dry_run":true}`, "/?&": `{"All":true}`, "/?&&": `{"tags":["a"],"keys":[{"name":"list","Key":"k"}]}`,
		"/?tags=a": ``, "/?tag=a&dry_run=true": ``, "/?tag=a&dryRun=yes": ``, "/?tag=a&budget=x": ``, "/?all": `{"all":true} x`,
		"/?&&&": `{"prefixes":[{"name":"list","segment":["b"]}]}`, "/?&&&&": `{"all":"true"}`, "/?&&&&&": `{"all":true,"all":false}`,
	} {
		a := rig.Post(purge, target, body, auth)
		assert.Equal(t, 400, a.Status, "%s %s: %s", target, body, a.Body)
		assert.Contains(t, a.Body, `"code":"invalid_request","message":`)
	}
	assert.Contains(t, rig.Post(purge, "/?tagg=1&drYrun=1", `{"alll":true}`, auth).Body, "drYrun, tagg, alll")
	assert.Equal(t, "HIT", func() string { rig.Get(mux, "/x/a"); return rig.Get(mux, "/x/a").Cache() }(), "nothing of that purged anything")
	assert.Equal(t, 400, rig.Post(purge, "/", `{`, auth).Status)
	assert.Equal(t, 400, rig.Post(purge, "/", ``, auth).Status)
	assert.Equal(t, 400, rig.Post(purge, "/", `{"tags":[""]}`, auth).Status)
	assert.Equal(t, 405, rig.Get(purge, "/", auth).Status)
}

func TestMetricsOfTheFleet(t *testing.T) {
	r := rig.New(t, func(c *strategies.StoreConfig) { c.FleetMetrics = true })
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	rig.Get(mux, "/x")
	rig.Get(mux, "/x")
	a := rig.Get(ops.Metrics(r.Store), "/")
	assert.Contains(t, a.Body, `{"metrics":{"hits":1,"misses":1,`)
	assert.Contains(t, a.Body, `"scope":"fleet"`)
}
