package doctor_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/cmd/restash/internal/doctor"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// patient is a database with caches, which tests make ill.
type patient struct {
	t      *testing.T
	server *upstashtest.Server
	store  *strategies.Store
	config doctor.Config
}

func newPatient(t *testing.T, opts ...func(*upstashtest.Config)) *patient {
	t.Helper()
	server := upstashtest.Run(t, opts...)
	p := &patient{t: t, server: server, config: doctor.Config{
		Namespace: "restash", Client: client.Config{URL: server.URL, Token: server.Token, Timeout: 5 * time.Second},
	}}
	c, err := client.New(p.config.Client)
	require.NoError(t, err)
	p.store, err = strategies.NewStore(c, strategies.StoreConfig{Namespace: "restash"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.store.Close(context.Background()); _ = c.Close() })
	return p
}

// load stores n values under the tag "all".
func (p *patient) load(n int, config strategies.Config, key func(i int) string) {
	p.t.Helper()
	if config.Name == "" {
		config.Name = "user"
	}
	config.Tags = []string{"all"}
	if config.TTL == 0 {
		config.TTL = time.Hour
	}
	values := strategies.New[string](p.store, config)
	for i := range n {
		_, err := values.Get(p.t.Context(), key(i), func(context.Context, string) (string, error) { return "v", nil })
		require.NoError(p.t, err)
	}
	require.NoError(p.t, p.store.Flush(p.t.Context()))
}

func plain(i int) string { return fmt.Sprint("name", i) }

// verdict is the finding of one check.
func (p *patient) verdict(check string) doctor.Finding {
	p.t.Helper()
	findings := doctor.Examine(p.t.Context(), p.config)
	for _, f := range findings {
		if f.Check == check {
			return f
		}
	}
	require.Failf(p.t, "no such check", "%q in %v", check, findings)
	return doctor.Finding{}
}

// expect wants a finding that says so and, if something is wrong, what to do.
func (p *patient) expect(check string, level doctor.Level, says string) {
	p.t.Helper()
	f := p.verdict(check)
	assert.Equal(p.t, level, f.Level, f)
	assert.Contains(p.t, f.Says, says)
	wrong := level == doctor.Warn || level == doctor.Fail
	assert.Equal(p.t, wrong, f.Next != "", f)
	assert.NotContains(p.t, f.Says+f.Next, p.config.Client.Token)
}

func TestExamineAHealthyDatabase(t *testing.T) {
	p := newPatient(t)
	p.load(6, strategies.Config{}, plain)
	findings := doctor.Examine(t.Context(), p.config)
	assert.True(t, doctor.Well(findings), findings)
	assert.GreaterOrEqual(t, len(findings), 10)
	reply, err := p.server.Do("KEYS", "restash-doctor*")
	require.NoError(t, err)
	assert.Empty(t, reply.Array, "nothing of its own is left")
}

func TestExamineAddress(t *testing.T) {
	p := newPatient(t)
	p.config.Client.URL = "rediss://default:x@example.upstash.io:6379"
	p.expect("address", doctor.Fail, "not of REST")
	p.config.Client.URL = "http://example.com"
	p.expect("address", doctor.Fail, "")
	p.config.Client.URL = "http://127.0.0.1:1"
	p.expect("reachable", doctor.Fail, "no answer")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	defer page.Close()
	p.config.Client.URL = page.URL
	p.expect("reachable", doctor.Fail, "none of Redis")
}

func TestExamineToken(t *testing.T) {
	p := newPatient(t)
	for token, says := range map[string]string{
		"AXXXASQgOTg0ZWI3NTktOTc4ZS00NmE1LWFlN2YtNzZlNGQ5NWE0M2Zi": "refuses the token",
		"0123456789abcdef0123456789ABCDEF":                         "the Redis password",
		`"` + p.server.Token + `x"`:                                "quotes",
	} {
		p.config.Client.Token = token
		p.expect("token", doctor.Fail, says)
	}
	p.config.Client.Token = p.server.ReadOnlyToken
	p.expect("token", doctor.Fail, "may only read")
}

func TestExamineQuota(t *testing.T) {
	p := newPatient(t, func(c *upstashtest.Config) { c.Limits.Data = 1 })
	_, err := p.server.Do("SET", "big", strings.Repeat("x", 1000))
	require.NoError(t, err)
	p.expect("quota", doctor.Fail, "takes no writes")
	p = newPatient(t)
	p.server.Faults(1, upstashtest.Fault{Do: upstashtest.Status(429, `{"error":"ERR max requests limit exceeded"}`)})
	p.expect("quota", doctor.Fail, "refuses requests")
	p = newPatient(t, func(c *upstashtest.Config) { c.Limits.Daily = 1 }) // PING is free
	c, err := client.New(p.config.Client)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = c.Exists(t.Context(), "k")
	require.NoError(t, err)
	p.expect("quota", doctor.Fail, "refuses requests")
}

func TestExamineLatency(t *testing.T) {
	p := newPatient(t)
	p.server.Faults(1, upstashtest.Fault{Do: func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
		time.Sleep(60 * time.Millisecond)
		next.ServeHTTP(w, r)
	}})
	p.expect("latency", doctor.Warn, "p50")
}

func TestExamineClock(t *testing.T) {
	p := newPatient(t)
	p.server.FastForward(time.Minute)
	p.expect("clock", doctor.Warn, "differs from the database's by 1m")
}

func TestExamineLag(t *testing.T) {
	p := newPatient(t, func(c *upstashtest.Config) { c.ReplicaLag = time.Second })
	p.expect("replica lag", doctor.Warn, "another client saw a write after")
}

func TestExamineEviction(t *testing.T) {
	p := newPatient(t)
	_, err := p.store.Invalidate(t.Context(), invalidate.Tags("all"))
	require.NoError(t, err)
	p.load(1, strategies.Config{}, plain)
	_, err = p.server.Do("DEL", "restash:t:all")
	require.NoError(t, err)
	p.expect("eviction", doctor.Warn, "the token of tag all is gone")
}

func TestExamineNamespace(t *testing.T) {
	p := newPatient(t)
	p.expect("namespace", doctor.Skip, "is empty")
	p.load(1, strategies.Config{}, plain)
	p.config.Namespace = "restash-production"
	p.expect("namespace", doctor.Warn, "while there are entries in restash")
}

func TestExamineVersions(t *testing.T) {
	p := newPatient(t)
	p.load(1, strategies.Config{Version: "v1"}, plain)
	p.expect("versions", doctor.OK, "")
	_, err := p.server.Do("COPY", "restash:e:user:v1:name0", "restash:e:user:v2:name0")
	require.NoError(t, err)
	p.expect("versions", doctor.Warn, "user has entries of 2 types")
	_, err = p.server.Do("DEL", "restash:e:user:v2:name0")
	require.NoError(t, err)
	_, err = p.server.Do("SET", "restash:e:user:v1:other", `{"name":"Ada"}`)
	require.NoError(t, err)
	p.expect("versions", doctor.Warn, "1 of 2 entries are in another format")
}

func TestExamineTTL(t *testing.T) {
	p := newPatient(t)
	p.load(3, strategies.Config{TTL: 2 * time.Second, StaleWhileRevalidate: time.Minute}, plain)
	p.expect("TTL", doctor.Warn, "fresh for 2 s or less")
}

func TestExamineInvalidation(t *testing.T) {
	p := newPatient(t)
	p.load(9, strategies.Config{}, plain)
	p.expect("invalidation", doctor.OK, "0 of 9")
	_, err := p.store.Invalidate(t.Context(), invalidate.Tags("all"))
	require.NoError(t, err)
	p.expect("invalidation", doctor.Warn, "9 by tag all")
}

func TestExamineKeys(t *testing.T) {
	p := newPatient(t)
	p.load(6, strategies.Config{}, func(i int) string {
		return fmt.Sprintf("page:%08d-1111-4222-8333-444444444444", i)
	})
	p.expect("keys", doctor.Warn, "6 of 6 keys of user")
}

func TestExamineApplication(t *testing.T) {
	p := newPatient(t)
	p.load(1, strategies.Config{}, plain)
	body := ""
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer app.Close()
	p.expect("application", doctor.Skip, "none asked")
	p.config.MetricsURL = app.URL
	for _, tt := range []struct {
		body, check string
		level       doctor.Level
		says        string
	}{
		{`no JSON`, "application", doctor.Fail, ""},
		{`{"cache":{"disabled":true}}`, "application", doctor.Warn, "switched off"},
		{`{"namespace":"restash-production"}`, "application", doctor.Warn, "it caches in namespace restash-production"},
		{`{"cache":{"breaker":"open","breakerCause":"connection refused"}}`, "breaker", doctor.Warn, "open: connection refused"},
		{`{"cache":{"breaker":"closed"}}`, "breaker", doctor.OK, "closed"},
		{`{"cache":{"pending":3}}`, "pending", doctor.Warn, "3 invalidations"},
		{`{"cache":{"quota":{"period":"month","limit":500,"used":490,"saving":"classes"}}}`, "quota", doctor.Warn, "490 of the month's 500"},
		{`{"cache":{"quota":{"period":"month","limit":500,"used":4,"saving":"nothing"}}}`, "quota", doctor.OK, "4 of the month's 500"},
		{`{"cache":{}}`, "quota", doctor.Skip, "none is set"},
		{`{"cache":{"audited":9000,"outdated":2,"outdatedAge":61}}`, "consistency", doctor.Warn, "2 of 9000 audited hits were outdated, by 61 s"},
		{`{"cache":{"audited":9000}}`, "consistency", doctor.OK, "none of 9000"},
		{`{"cache":{}}`, "consistency", doctor.Skip, "StoreConfig.Audit"},
		{`{"cache":{"oversized":2}}`, "size", doctor.Warn, "2 values"},
		{`{"metrics":{"hitRate":0.2,"totalRequests":100}}`, "hit rate", doctor.Warn, "0.20 of 100"},
		{`{"metrics":{"hitRate":0.9,"totalRequests":100}}`, "hit rate", doctor.OK, "0.90 of 100"},
		{`{"metrics":{"hitRate":0,"totalRequests":3}}`, "hit rate", doctor.Skip, "too few"},
		{`{"metrics":{"hitRate":1,"totalRequests":100},"routes":[{"name":"list","hits":9}]}`, "warmed", doctor.Warn, "entries of user are stored"},
		{`{"metrics":{"hitRate":1,"totalRequests":100},"routes":[{"name":"user","hits":9}]}`, "warmed", doctor.OK, ""},
	} {
		body = tt.body
		p.expect(tt.check, tt.level, tt.says)
	}
	p.config.MetricsURL = "http://127.0.0.1:1"
	p.expect("application", doctor.Fail, "")
}

func ExampleExamine() {
	findings := doctor.Examine(context.Background(), doctor.Config{Client: client.Config{URL: "redis://localhost:6379", Token: "secret"}})
	fmt.Println(findings[0].Level, findings[0].Says, doctor.Well(findings))
	// Output: fail the URL is that of the Redis protocol, not of REST false
}
