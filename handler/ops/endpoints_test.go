package ops_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
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
	assert.Contains(t, text.Body, "\nrestash_audited_total 0\n")
	assert.Contains(t, text.Body, "\nrestash_outdated_total 0\n")
	assert.Contains(t, text.Body, "\nrestash_quota_saving 0\n")
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
	purge := ops.Purge(r.Store, ops.Secret("s3cret"), ops.App(mux))
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
		{"pattern, without a word", "/", `{"patterns":[{"name":"list","glob":"b*"}],"tags":["x:a"]}`, `"dryRun":true,"count":2,"commands":2,`, [3]string{"HIT", "HIT", "HIT"}},
		{"tag, dry", "/?tag=x:a&dryRun=true", ``, `"dryRun":true,"count":1,"commands":1,"trips":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"prefix, dry", "/", `{"prefixes":[{"name":"list","segments":["b"]}],"dryRun":true}`, `"dryRun":true,"count":1,"commands":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"key, dry", "/", `{"keys":[{"name":"list","key":"x"},{"name":"list","key":"y"}],"dryRun":true}`, `"dryRun":true,"count":2,"commands":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"all, dry", "/", `{"all":true,"dryRun":true}`, `"dryRun":true,"count":1,"commands":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"url", "/", `{"urls":["/x/b?page=2&utm=1"]}`, `"count":1,"commands":1,"trips":1,`, [3]string{"HIT", "HIT", "MISS"}},
		{"two urls", "/?url=/x/b", `{"urls":["http://a.example/x/a"]}`, `"count":2,"commands":1,`, [3]string{"MISS", "MISS", "HIT"}},
		{"url, dry", "/?url=/x/b&dryRun=true", ``, `"dryRun":true,"count":1,"commands":1,"trips":1,`, [3]string{"HIT", "HIT", "HIT"}},
		{"url, soft", "/?url=/x/b&soft=true", ``, `soft key`, [3]string{"HIT", "STALE", "HIT"}},
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
		"/?tags=a": ``, "/?tag=a&dry_run=true": ``, "/?tag=a&dryRun=yes": ``, "/?tag=a&budget=x": ``, "/?url=/nowhere": ``, "/?url=:": ``, "/?all": `{"all":true} x`,
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

// A URL names the entry that a client's request for it has, whichever middleware
// made it, and all its variants.
func TestPurgeByURL(t *testing.T) {
	r := rig.New(t)
	runs := map[string]int{}
	proxy := httpcache.Cache(r.Store, httpcache.Config{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		runs[r.Header.Get("Accept-Language")]++
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Vary", "Accept-Language")
	}))
	const auth = "Authorization: Bearer s"
	purge := ops.Purge(r.Store, ops.Secret("s"), ops.App(proxy))
	ask := func(lang string) string {
		return rig.Get(proxy, "/x?b=1&a=2", "Host: a.example", "X-Forwarded-Proto: https", "Accept-Language: "+lang).Cache()
	}
	fill := func() { ask("de"); ask("en") }
	fill()
	assert.Equal(t, 200, rig.Post(purge, "/?url=/x%3Fb=1%26a=2", "", auth).Status)
	assert.Equal(t, []string{"HIT", "HIT"}, []string{ask("de"), ask("en")}, "another host, and no proxy")
	a := rig.Post(purge, "http://a.example/?url=/x%3Fb=1%26a=2", "", auth, "X-Forwarded-Proto: https")
	assert.Contains(t, a.Body, `"count":1,"commands":1,`)
	assert.Equal(t, []string{"MISS", "MISS"}, []string{ask("de"), ask("en")})
	assert.Equal(t, 200, rig.Post(purge, "/?url=http://a.example/x%3Fb=1%26a=2", "", auth, "X-Forwarded-Proto: https").Status)
	assert.Equal(t, "MISS", ask("de"))
	assert.Equal(t, map[string]int{"de": 3, "en": 2}, runs, "looking for an entry runs no handler")
	assert.Contains(t, rig.Post(ops.Purge(r.Store, ops.Secret("s")), "/?url=/x", "", auth).Body, `{"code":"invalid_request","message":"urls: the endpoint was made without ops.App"}`)
}

// Every error of every endpoint has one form.
func TestErrorsHaveOneForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		on := rig.On(t, down)
		var broken atomic.Bool
		broken.Store(true)
		defer broken.Store(false) // so that closing can send what is pending
		down.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if broken.Load() {
				http.Error(w, `{"error":"ERR no"}`, http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		})
		const auth = "Authorization: Bearer s"
		purge, cron := ops.Purge(on.Store, ops.Secret("s")), ops.Cron(on.Store, warm.Plan{}, 0, ops.Secret("s"))
		for want, a := range map[int]rig.Answer{
			400: rig.Post(purge, "/?tagg=a", "", auth), 401: rig.Get(ops.Metrics(on.Store, ops.Secret("s")), "/"), 403: rig.Post(ops.Purge(on.Store), "/", ""),
			405: rig.Post(ops.Dashboard(on.Store), "/", ""), 413: rig.Post(purge, "/", strings.Repeat(" ", 70<<10), auth),
			502: rig.Post(purge, "/", `{"patterns":[{"name":"x","glob":"*"}],"dryRun":false}`, auth),
		} {
			assert.Equal(t, want, a.Status, a.Body)
			assert.Regexp(t, `^\{"code":"[a-z_]+","message":"[^"]+"\}\n$`, a.Body)
		}
		for _, bad := range []string{"/?form=1", "/?commands=x", "/?commands=0"} {
			a := rig.Get(cron, bad, auth)
			assert.Equal(t, 400, a.Status, bad)
			assert.Contains(t, a.Body, `{"code":"invalid_request","message":"`)
		}
		pending := rig.Post(purge, "/?tag=a", "", auth)
		assert.Equal(t, http.StatusAccepted, pending.Status)
		assert.Contains(t, pending.Body, `"pending":1,"keys":0,"code":"pending","message":"`)
	})
}
