package handler_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// A handler never runs when the ServeHTTP that it belongs to has returned
// (faults A1): not when its client leaves, not to refresh a stale answer, not
// when it is too slow.
func TestNoHandlerOutlivesItsRequest(t *testing.T) {
	for _, executor := range []strategies.Executor{strategies.Pool(16), strategies.Inline(50 * time.Millisecond)} {
		synctest.Test(t, func(t *testing.T) {
			r := rig.New(t, func(c *strategies.StoreConfig) { c.Executor = executor })
			cfg := handler.Config{Prefix: "u", TTL: 50 * time.Millisecond, StaleWhileRevalidate: time.Minute, Public: true}
			type over struct{ atomic.Bool }
			type key struct{}
			mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, r *http.Request) {
				ended := r.Context().Value(key{}).(*over)
				for range 4 {
					time.Sleep(10 * time.Millisecond)
					assert.False(t, ended.Load(), "the handler runs on after its request")
				}
				io.WriteString(w, "x")
			})
			for i := range 40 {
				ctx, leave := context.WithCancel(t.Context())
				ended := new(over)
				r := httptest.NewRequest(http.MethodGet, "/x", nil).WithContext(context.WithValue(ctx, key{}, ended))
				if i%3 == 0 {
					time.AfterFunc(5*time.Millisecond, leave)
				}
				mux.ServeHTTP(httptest.NewRecorder(), r)
				ended.Store(true)
				leave()
				time.Sleep(time.Duration(i*7) * time.Millisecond)
			}
			synctest.Wait()
		})
	}
}

// The stale answer is with its client before the refresh begins.
func TestTheRefreshComesBehindTheAnswer(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "swr", TTL: time.Millisecond, StaleWhileRevalidate: time.Hour}
	release := make(chan struct{})
	var runs atomic.Int64
	server := httptest.NewServer(rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, r *http.Request) {
		n := runs.Add(1)
		if n > 1 {
			<-release
		}
		fmt.Fprint(w, n)
	}))
	defer server.Close()
	read := func() (state, body string) {
		res, err := http.Get(server.URL + "/x")
		if !assert.NoError(t, err) {
			return "", ""
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.Header.Get("X-Cache"), string(b)
	}
	read()
	time.Sleep(5 * time.Millisecond)
	state, body := read() // would wait for ever if the refresh came first
	assert.Equal(t, []string{"STALE", "1"}, []string{state, body})
	close(release)
	assert.Eventually(t, func() bool { _, body := read(); return body != "1" }, 10*time.Second, 5*time.Millisecond)
}

func TestAGoexitHangsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		var runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			if runs.Add(1) == 1 {
				runtime.Goexit()
			}
			io.WriteString(w, "x")
		})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { assert.Equal(t, "x", rig.Get(mux, "/x").Body) }) // the first never comes to the comparison
		}
		wg.Wait()
		assert.Equal(t, "x", rig.Get(mux, "/x").Body)
	})
}

// Two uses of a Prefix that might answer with each other's data are refused
// when the second is made (faults A5).
func TestPresetsThatWouldShareEntriesAreRefused(t *testing.T) {
	base := handler.Lists.Config("list")
	change := func(set func(*handler.Config)) handler.Config {
		cfg := base
		set(&cfg)
		return cfg
	}
	key := func(*http.Request) string { return "k" }
	for name, pair := range map[string][2]handler.Config{
		"another TTL":    {base, change(func(c *handler.Config) { c.TTL = time.Minute })},
		"another query":  {base, change(func(c *handler.Config) { c.Query = handler.Query{"a": ""} })},
		"public":         {base, change(func(c *handler.Config) { c.Public = true })},
		"tags":           {base, change(func(c *handler.Config) { c.Tags = []string{"a"} })},
		"a key":          {base, change(func(c *handler.Config) { c.Key = key })},
		"two keys":       {change(func(c *handler.Config) { c.Key = key }), change(func(c *handler.Config) { c.Key = key })},
		"two skips":      {change(func(c *handler.Config) { c.Skip = func(*http.Request) bool { return false } }), change(func(c *handler.Config) { c.Skip = func(*http.Request) bool { return true } })},
		"two identities": {change(func(c *handler.Config) { c.Identity = key }), change(func(c *handler.Config) { c.Identity = key })},
	} {
		r := rig.New(t)
		first := handler.Cache(r.Store, pair[0])
		assert.Panics(t, func() { handler.Cache(r.Store, pair[1]) }, name)
		runtime.KeepAlive(first)
	}
}

func TestOnePresetOnTwoRoutesKeepsThemApart(t *testing.T) {
	r := rig.New(t)
	mux := http.NewServeMux()
	for _, path := range []string{"/extensions", "/mcp", "/a/{kind}/{id}", "/b/{id}/{kind}"} {
		mux.Handle("GET "+path, handler.Cache(r.Store, handler.Lists.Config("lists"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.Pattern+r.PathValue("id"))
		})))
	}
	for range 2 {
		for path, want := range map[string]string{
			"/extensions": "GET /extensions", "/mcp": "GET /mcp", "/a/x/y": "GET /a/{kind}/{id}y", "/b/x/y": "GET /b/{id}/{kind}x",
		} {
			assert.Equal(t, want, rig.Get(mux, path).Body)
		}
	}
}

// What a mux cleans or takes off the path is in the key (faults A6).
func TestThePathAsItWasAskedIsInTheKey(t *testing.T) {
	r := rig.New(t)
	type tenant struct{}
	inner := rig.Mount(r.Store, "GET /items/{id...}", handler.Details.Config("item"), func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%v's item at %s", r.Context().Value(tenant{}), r.URL.EscapedPath())
	})
	outer := http.NewServeMux()
	outer.HandleFunc("/{tenant}/", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("tenant")
		r = r.WithContext(context.WithValue(r.Context(), tenant{}, name))
		http.StripPrefix("/"+name, inner).ServeHTTP(w, r)
	})
	bodies := map[string]string{}
	paths := []string{"/acme/items/1", "/globex/items/1", "/acme/items/a%2Fb", "/acme/items/a/b", "/acme/items/%61/b", "/acme/items/1/", "/acme/items/"}
	for range 2 {
		for _, path := range paths {
			a := rig.Get(outer, path)
			if bodies[path] == "" {
				assert.Equal(t, "MISS", a.Cache(), path)
				bodies[path] = a.Body
			}
			assert.Equal(t, bodies[path], a.Body, path)
		}
	}
	assert.Contains(t, bodies["/globex/items/1"], "globex's")
	assert.Equal(t, "HIT", rig.Get(outer, "/acme/items/1").Cache())
}

func TestDeclaredParametersKeepAllTheirValues(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "p", TTL: time.Minute, Query: handler.Query{"tag": "", "sort": "new"}}
	mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.RawQuery) })
	for range 2 {
		for query, want := range map[string]string{
			"": "sort=new", "tag=a": "sort=new&tag=a", "tag=a&tag=b": "sort=new&tag=a&tag=b", "tag=b&tag=a": "sort=new&tag=b&tag=a",
			"tag=a&tag=": "sort=new&tag=a&tag=", "tag=a%2Cb": "sort=new&tag=a%2Cb", "sort=new&sort=old": "sort=new&sort=old", "sort=": "sort=new",
		} {
			assert.Equal(t, want, rig.Get(mux, "/x?"+query).Body, query)
		}
	}
}

// identityFields are examples of fields that say who asks.
const identityFields = `Cookie Authorization Proxy-Authorization X-Api-Key Api-Key Apikey X-Auth-Token X-Access-Token X-Accesstoken X-Forwarded-User
	X-Forwarded-Email X-Forwarded-Groups X-Auth-Request-User X-Remote-User Remote-User Cf-Access-Jwt-Assertion
	Cf-Access-Authenticated-User-Email X-Goog-Iap-Jwt-Assertion X-Goog-Authenticated-User-Email X-Amzn-Oidc-Data X-Amzn-Oidc-Identity
	X-Ms-Client-Principal X-Ms-Client-Principal-Id X-Ms-Token-Aad-Id-Token Tailscale-User-Login X-Webauth-User X-User-Id X-Userid X-Tenant-Id
	X-Org-Id X-Session-Id X-Sessionid X-Csrf-Token X-Ssl-Client-Cert Client-Cert X-Forwarded-Client-Cert X-Arr-Clientcert X-Consumer-Username
	X-Authenticated-Userid Private-Token X-Gitlab-Token X-Amz-Security-Token X-Serverless-Authorization X-Vault-Token X_USER`

func TestWhoAsksGoesAround(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "p", TTL: time.Minute}
	cfg.Advanced.IdentityFields = []string{"X-Shop"}
	h := handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "for everyone") }))
	rig.Get(h, "/x")
	for name := range strings.FieldsSeq(identityFields + " X-Shop") {
		assert.Equal(t, "BYPASS", rig.Get(h, "/x", name+": ada").Cache(), name)
	}
	r2 := httptest.NewRequest(http.MethodGet, "/x", nil)
	r2.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r2)
	assert.Equal(t, "BYPASS", w.Header().Get("X-Cache"), "a client certificate")
	for _, name := range []string{
		"User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Sec-Fetch-User", "Sec-Fetch-Site", "Referer", "Traceparent", "X-Forwarded-For",
		"X-Forwarded-Proto", "X-Real-Ip", "X-Vercel-Id", "X-Vercel-Oidc-Token", "Cf-Ray", "Origin", "Dnt", "Upgrade-Insecure-Requests", "X-Request-Id",
		"Priority", "X-Amzn-Trace-Id", "Sec-Ch-Ua-Platform", "X-Cloud-Trace-Context", "If-None-Match", "Cache-Control", "Pragma", "Forwarded", "Via",
	} {
		assert.Equal(t, "HIT", rig.Get(h, "/x", name+": v").Cache(), name)
	}
}

// A preset's handler sees what is in the key and what selects nothing (faults A7).
func TestAPresetsHandlerSeesNothingThatIsNotInTheKey(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "p", TTL: time.Minute, Vary: []string{"accept-language"}}
	h := handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, len(r.Header), r.Header["Accept-Language"], r.Header.Get("Traceparent"), r.RemoteAddr, r.TLS, r.Host, r.Proto, r.URL, r.RequestURI)
	}))
	a := rig.Get(h, "/x?a=b", "Accept-Language: de", "Traceparent: 00-1", "Origin: https://evil.example", "RSC: 1", "HX-Request: true", "X-Real-Ip: 1.2.3.4",
		"Accept: text/html", "User-Agent: me", "Referer: r", "X-Anything: else", "X-Forwarded-Host: evil")
	assert.Equal(t, "2 [de] 00-1 0.0.0.0:0 <nil>  HTTP/1.1 /x /x\n", a.Body)
	assert.Equal(t, "HIT", rig.Get(h, "/x", "Accept-Language: de").Cache())
	assert.Equal(t, "MISS", rig.Get(h, "/x", "Accept-Language: fr").Cache())
	assert.Equal(t, "MISS", rig.Get(h, "/x").Cache())
}

func TestSkipAndIdentity(t *testing.T) {
	r := rig.New(t)
	cfg := handler.Config{Prefix: "p", TTL: time.Minute,
		Skip:     func(r *http.Request) bool { return r.URL.Query().Has("preview") },
		Identity: func(r *http.Request) string { return r.Header.Get("X-Forwarded-User") }}
	h := handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "page of "+r.Header.Get("X-Forwarded-User"))
	}))
	for _, state := range []string{"MISS", "HIT"} {
		for _, user := range []string{"ada", "bob", "ada:b"} {
			a := rig.Get(h, "/x", "X-Forwarded-User: "+user, "Cookie: any=thing")
			assert.Equal(t, []string{state, "page of " + user}, []string{a.Cache(), a.Body})
			assert.Equal(t, "private, max-age=0, must-revalidate", a.Header.Get("Cache-Control"))
		}
		assert.Equal(t, state, rig.Get(h, "/x").Cache())
	}
	assert.Equal(t, "BYPASS", rig.Get(h, "/x", "Cookie: any=thing").Cache(), "somebody whom Identity does not know")
	assert.Equal(t, "restash; fwd=bypass; detail=skip", rig.Get(h, "/x?preview=1").CacheStatus())
}
