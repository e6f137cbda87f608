package httpcache_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
)

// step is one request through the cache, and what must come of it.
type step struct {
	// ask is the request: method and path, then fields, one on each line.
	ask string
	// origin is what the origin answers if it is asked: the status, fields, an
	// empty line, the body. "cut" ends the connection. {now} is its date.
	origin string
	// from says who answers: "origin", "store" (the origin is not asked), or
	// "both" (the origin is asked, the stored body is sent).
	from string
	// want are the status, fields and the body that the client must get, in
	// origin's form; "-Name" must be absent. Empty parts are not checked.
	// "broken" is an answer that is cut short.
	want string
	// saw are fields that the origin must have seen; "-Name" not.
	saw string
}

// testCase covers rows of the table of requirements.
type testCase struct {
	name   string
	covers string
	steps  []step
}

// conformance is a scripted origin, a reverse proxy, the cache, and a client,
// over real HTTP.
type conformance struct {
	front, origin *httptest.Server

	mu     sync.Mutex
	script string
	seen   *http.Request
}

func newConformance(t *testing.T, cfg httpcache.Config) *conformance {
	c := &conformance{}
	c.origin = httptest.NewServer(http.HandlerFunc(c.answer))
	t.Cleanup(c.origin.Close)
	target, err := url.Parse(c.origin.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		Transport: &http.Transport{DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	c.front = httptest.NewServer(httpcache.Cache(rig.New(t).Store, cfg)(proxy))
	t.Cleanup(c.front.Close)
	return c
}

func (c *conformance) answer(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = r.Clone(r.Context())
	if c.script == "cut" {
		panic(http.ErrAbortHandler)
	}
	now := time.Now().UTC().Format(http.TimeFormat)
	status, fields, body := parseMessage(strings.ReplaceAll(c.script, "{now}", now))
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ":")
		w.Header()[http.CanonicalHeaderKey(name)] = append(w.Header()[http.CanonicalHeaderKey(name)], strings.TrimSpace(value))
	}
	if status == 103 {
		w.WriteHeader(103)
		status = 200
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// parseMessage reads "200\nName: value\n\nbody".
func parseMessage(s string) (status int, fields []string, body string) {
	head, body, _ := strings.Cut(s, "\n\n")
	lines := strings.Split(head, "\n")
	status, _ = strconv.Atoi(lines[0])
	return status, lines[1:], body
}

func (c *conformance) do(t *testing.T, path string, s step) {
	t.Helper()
	line, fields, _ := strings.Cut(s.ask, "\n")
	method, target, found := strings.Cut(line, " ")
	if !found {
		method, target = "GET", "/x"
	}
	c.mu.Lock()
	c.script, c.seen = s.origin, nil
	if s.origin == "" {
		c.script = "200\n\nnot to be asked"
	}
	c.mu.Unlock()
	req, err := http.NewRequest(method, c.front.URL+path+target, nil)
	require.NoError(t, err)
	req.Header.Set("User-Agent", "test")
	for scan := bufio.NewScanner(strings.NewReader(fields)); scan.Scan(); {
		name, value, _ := strings.Cut(scan.Text(), ":")
		if name == "Host" {
			req.Host = strings.TrimSpace(value)
			continue
		}
		req.Header[http.CanonicalHeaderKey(name)] = append(req.Header[http.CanonicalHeaderKey(name)], strings.TrimSpace(value))
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if s.want == "broken" {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	c.check(t, s, res, string(body))
}

func (c *conformance) check(t *testing.T, s step, res *http.Response, body string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.seen != nil
	what := fmt.Sprintf("%q: %s %s, Cache-Status %q", s.ask, res.Header.Get("X-Cache"), res.Status, res.Header.Get("Cache-Status"))
	if s.from != "" {
		assert.Equal(t, s.from != "store", asked, "the origin was asked? "+what)
	}
	_, _, given := parseMessage(s.origin)
	switch s.from {
	case "origin":
		if res.Request.Method != "HEAD" && res.StatusCode != 304 && res.StatusCode != 206 {
			assert.Equal(t, given, body, what)
		}
	case "both":
		if res.Request.Method == "HEAD" {
			break
		}
		assert.NotEqual(t, given, body, what)
	}
	if s.want != "" {
		status, fields, want := parseMessage(s.want)
		assert.Equal(t, status, res.StatusCode, what)
		checkFields(t, fields, res.Header, what)
		if want != "" {
			assert.Equal(t, want, body, what)
		}
	}
	if s.saw != "" && assert.True(t, asked, what) {
		checkFields(t, strings.Split(s.saw, "\n"), c.seen.Header, "at the origin: "+what)
	}
}

func checkFields(t *testing.T, fields []string, h http.Header, what string) {
	t.Helper()
	for _, f := range fields {
		if name, absent := strings.CutPrefix(f, "-"); absent {
			assert.Empty(t, h.Values(name), "%s: %s", what, name)
			continue
		}
		name, value, _ := strings.Cut(f, ":")
		assert.Equal(t, strings.TrimSpace(value), strings.Join(h.Values(name), ", "), "%s: %s", what, name)
	}
}

func TestConformance(t *testing.T) {
	c := newConformance(t, httpcache.Config{})
	for i, tc := range allCases() {
		t.Run(tc.name, func(t *testing.T) {
			for _, s := range tc.steps {
				c.do(t, fmt.Sprintf("/case%d", i), s)
			}
		})
	}
}

func TestEveryRequirementHasACase(t *testing.T) {
	rows := map[string]int{}
	for _, r := range requirements {
		require.NotContains(t, rows, r.id)
		rows[r.id] = 0
	}
	names := map[string]bool{}
	for _, tc := range allCases() {
		assert.False(t, names[tc.name], "two cases are called %q", tc.name)
		names[tc.name] = true
		for id := range strings.FieldsSeq(tc.covers) {
			if _, there := rows[id]; !there {
				t.Errorf("case %q covers %q, which is no row", tc.name, id)
			}
			rows[id]++
		}
	}
	for _, r := range requirements {
		assert.Positive(t, rows[r.id], "no case for %s: %s", r.id, r.text)
	}
}
