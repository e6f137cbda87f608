package handler_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

// A cache changes nothing of what it does not store, and of what it does only
// the fields that say so: each handler answers once bare and three times through
// the cache, by the same net/http server, and once more with Redis away.

type wrap = func(http.Handler) http.Handler

// both are the two middlewares: by preset, and by the answer's own headers.
func both(preset handler.Config) map[string]func(*strategies.Store) wrap {
	return map[string]func(*strategies.Store) wrap{
		"preset":     func(s *strategies.Store) wrap { return handler.Cache(s, preset) },
		"by headers": func(s *strategies.Store) wrap { return httpcache.Cache(s, httpcache.Config{}) },
	}
}

type transparent struct {
	handler  http.HandlerFunc
	requests []string // method and path, then fields; "GET /x" where there is none
	around   wrap     // outside of the cache
}

var modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func file(size int, header ...string) http.HandlerFunc {
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.ServeContent(w, r, "f.txt", modified, bytes.NewReader(content))
	}
}

var fileRequests = []string{
	"GET /x", "HEAD /x", "GET /x\nIf-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT", "GET /x\nIf-Modified-Since: Fri, 02 Jan 2025 03:04:05 GMT",
	"GET /x\nRange: bytes=5-9", "GET /x\nRange: bytes=-7", "GET /x\nRange: bytes=99999999-", "GET /x\nRange: bytes=5-9\nIf-Range: Fri, 02 Jan 2026 03:04:05 GMT",
	"GET /x\nRange: bytes=5-9\nIf-Range: Fri, 02 Jan 2025 03:04:05 GMT", "GET /x\nRange: bytes=5-9\nIf-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT",
}

func transparents() map[string]transparent {
	say := func(parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, p := range parts {
				io.WriteString(w, p)
			}
		}
	}
	with := func(next http.HandlerFunc, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Add(header[i], header[i+1])
			}
			next(w, r)
		}
	}
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); io.WriteString(w, body) }
	}
	return map[string]transparent{
		"large file":                {handler: file(1 << 20), requests: fileRequests},
		"small file":                {handler: file(4 << 10), requests: fileRequests},
		"private file":              {handler: file(4<<10, "Cache-Control", "private"), requests: fileRequests},
		"file with a tag, no-store": {handler: file(4<<10, "Cache-Control", "no-store", "Etag", `"v1"`), requests: append(fileRequests, "GET /x\nIf-None-Match: \"v1\"", "GET /x\nIf-None-Match: \"v2\"", "GET /x\nRange: bytes=5-9\nIf-Range: \"v1\"")},
		"text":                      {handler: say("hello")},
		"nothing":                   {handler: say()},
		"a newline, then a page":    {handler: say("\n", "<!doctype html><p>x")},
		"a page in bits, private":   {handler: with(say("\n", "<!doctype html><p>x"), "Cache-Control", "private")},
		"JSON":                      {handler: with(say(`{"a":1}`), "Content-Type", "application/json"), requests: []string{"GET /x", "HEAD /x", "OPTIONS /x", "POST /x"}},
		"no type": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "<html>")
		}},
		"204":                  {handler: status(204, "")},
		"201":                  {handler: status(201, "made")},
		"301":                  {handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/y", http.StatusMovedPermanently) }},
		"404":                  {handler: http.NotFound, requests: []string{"GET /x", "HEAD /x"}},
		"500":                  {handler: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }},
		"503 with Retry-After": {handler: with(status(503, "later"), "Retry-After", "7")},
		"cookie":               {handler: with(say("x"), "Set-Cookie", "a=1", "Set-Cookie", "b=2")},
		"many values":          {handler: with(say("x"), "Link", "<a>", "Link", "<b>", "Vary", "Accept-Language", "X-Odd", "a, b")},
		"Vary *":               {handler: with(say("x"), "Vary", "*")},
		"length":               {handler: with(say("12345"), "Content-Length", "5")},
		"cut short":            {handler: with(say("12345"), "Content-Length", "100")},
		"cut short, private":   {handler: with(say("12345"), "Content-Length", "100", "Cache-Control", "private")},
		"too much":             {handler: with(say("12345", "6789"), "Content-Length", "5", "Cache-Control", "no-store")},
		"panic first":          {handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"panic later": {handler: func(w http.ResponseWriter, _ *http.Request) {
			say("x")(w, nil)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		"panic later, large": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Write(make([]byte, 1<<20))
			panic(http.ErrAbortHandler)
		}},
		"status twice": {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.WriteHeader(500); say("x")(w, nil) }},
		"header too late": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			w.Header().Set("X-Late", "1")
			say("x")(w, nil)
		}},
		"trailer": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			say("x")(w, nil)
			w.Header().Set("X-Sum", "1")
		}},
		"trailer, private": {handler: with(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			say("x")(w, nil)
			w.Header().Set("X-Sum", "1")
		}, "Cache-Control", "private")},
		"early hints": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "<a>")
			w.WriteHeader(103)
			say("x")(w, nil)
		}},
		"flushed": {handler: func(w http.ResponseWriter, _ *http.Request) {
			say("a")(w, nil)
			_ = http.NewResponseController(w).Flush()
			say("b")(w, nil)
		}},
		"events": {handler: with(func(w http.ResponseWriter, _ *http.Request) {
			say("data: 1\n\n")(w, nil)
			w.(http.Flusher).Flush()
			say("data: 2\n\n")(w, nil)
		}, "Content-Type", "text/event-stream")},
		"copied": {handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, strings.NewReader(strings.Repeat("y", 100_000)))
		}},
		"gzipped": {handler: with(func(w http.ResponseWriter, _ *http.Request) {
			z := gzip.NewWriter(w)
			say("packed")(discardHeader{z}, nil)
			z.Close()
		}, "Content-Encoding", "gzip", "Content-Type", "text/plain")},
		"no date":                   {handler: func(w http.ResponseWriter, _ *http.Request) { say("x")(w, nil) }},
		"closes":                    {handler: with(say("x"), "Connection", "close", "Cache-Control", "no-store")},
		"deadline outside":          {handler: slow, around: deadline},
		"deadline outside, ignored": {handler: func(w http.ResponseWriter, _ *http.Request) { time.Sleep(60 * time.Millisecond); say("late")(w, nil) }, around: deadline},
		"TimeoutHandler outside":    {handler: func(w http.ResponseWriter, _ *http.Request) { time.Sleep(100 * time.Millisecond); say("late")(w, nil) }, around: func(h http.Handler) http.Handler { return http.TimeoutHandler(h, 30*time.Millisecond, "too late") }},
		"TimeoutHandler inside":     {handler: http.TimeoutHandler(http.HandlerFunc(slow), 30*time.Millisecond, "too late").ServeHTTP},
		"MaxBytesHandler":           {handler: say("x"), around: func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 10) }, requests: []string{"GET /x", "POST /x"}},
		"CloseNotify": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
			say("x")(w, nil)
		}},
		"outer header":               {handler: say("x"), around: outer("X-Outer", "1", "Content-Language", "de")},
		"outer header is taken away": {handler: func(w http.ResponseWriter, _ *http.Request) { w.Header().Del("X-Outer"); say("x")(w, nil) }, around: outer("X-Outer", "1")},
		"outer no-store":             {handler: say("x"), around: outer("Cache-Control", "no-store")},
		"gzip outside":               {handler: say(strings.Repeat("z", 5000)), around: gzipped, requests: []string{"GET /x", "GET /x\nAccept-Encoding: gzip", "HEAD /x"}},
		"gzip outside, private":      {handler: with(say(strings.Repeat("z", 5000)), "Cache-Control", "private"), around: gzipped, requests: []string{"GET /x", "GET /x\nAccept-Encoding: gzip"}},
		"cors outside":               {handler: say("x"), around: cors, requests: []string{"GET /x", "GET /x\nOrigin: https://a.example", "GET /x\nOrigin: https://b.example", "OPTIONS /x\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT"}},
		"own words":                  {handler: with(say("x"), "Cache-Control", "public, max-age=7", "Etag", `W/"own"`, "Content-Length", "1"), requests: []string{"GET /x", "HEAD /x"}},
		"wrapped outside":            {handler: file(4 << 10), around: wrapped, requests: fileRequests},
	}
}

// gzipped packs what clients accept packed, as compressing middlewares do.
func gzipped(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if r.Header.Get("Accept-Encoding") != "gzip" {
			h.ServeHTTP(w, r)
			return
		}
		z := &gzipWriter{ResponseWriter: w}
		defer z.close()
		h.ServeHTTP(z, r)
	})
}

type gzipWriter struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (g *gzipWriter) WriteHeader(status int) {
	g.Header().Del("Content-Length")
	g.Header().Set("Content-Encoding", "gzip")
	g.ResponseWriter.WriteHeader(status)
}

func (g *gzipWriter) Write(p []byte) (int, error) {
	if g.z == nil {
		if g.Header().Get("Content-Type") == "" {
			g.Header().Set("Content-Type", http.DetectContentType(p))
		}
		g.Header().Del("Content-Length")
		g.Header().Set("Content-Encoding", "gzip")
		g.z = gzip.NewWriter(g.ResponseWriter)
	}
	return g.z.Write(p)
}

func (g *gzipWriter) close() {
	if g.z != nil {
		g.z.Close()
	}
}

// cors allows each origin by name, and answers preflights itself.
func cors(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
		if r.Header.Get("Access-Control-Request-Method") != "" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// wrapped puts a writer between that has no more than Unwrap, as middlewares that
// measure do.
func wrapped(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(unwrapper{w}, r) })
}

type unwrapper struct{ http.ResponseWriter }

func (u unwrapper) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// slow honours its context, as a query of a database does.
func slow(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
		http.Error(w, "gave up", http.StatusGatewayTimeout)
	case <-time.After(5 * time.Second):
	}
}

func deadline(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 40*time.Millisecond)
		defer cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func outer(header ...string) wrap {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			h.ServeHTTP(w, r)
		})
	}
}

type discardHeader struct{ io.Writer }

func (discardHeader) Header() http.Header { return http.Header{} }
func (discardHeader) WriteHeader(int)     {}

// seen is what a client can tell of an answer. Broken is an answer that ended
// before its end.
type seen struct {
	Status  int
	Header  map[string]string
	Said    map[string]string // what the cache adds where the handler has not said it
	Trailer string
	Body    string
	Broken  bool
}

// ofTheCache are fields that a cache adds or decides on.
var ofTheCache = []string{"X-Cache", "Cache-Status", "Age", "Date", "Cache-Control", "Etag", "Accept-Ranges", "Content-Length", "Transfer-Encoding", "Last-Modified"}

func asked(t *testing.T, url, request string) seen {
	t.Helper()
	lines := strings.Split(request, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader("12345")
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url+path, body)
	require.NoError(t, err)
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return seen{Broken: true}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	s := seen{Status: res.StatusCode, Body: string(text), Broken: err != nil, Header: map[string]string{}, Said: map[string]string{}, Trailer: fmt.Sprint(res.Trailer)}
	for name, values := range res.Header {
		if !slices.Contains(ofTheCache, name) {
			s.Header[name] = strings.Join(values, " | ")
		} else if slices.Contains([]string{"Cache-Control", "Etag", "Content-Length"}, name) {
			s.Said[name] = strings.Join(values, " | ")
		}
	}
	return s
}

func TestTransparent(t *testing.T) {
	rows := 0
	for name, tt := range transparents() {
		requests := tt.requests
		if requests == nil {
			requests = []string{"GET /x"}
		}
		preset := handler.Config{Prefix: "x", TTL: time.Minute, Negative: time.Minute, Public: true, Vary: []string{"Accept-Language"}}
		for mode, cache := range both(preset) {
			for _, request := range requests {
				rows++
				r := rig.New(t)
				serve := func(cached wrap) string {
					h := http.Handler(tt.handler)
					if cached != nil {
						h = cached(h)
					}
					if tt.around != nil {
						h = tt.around(h)
					}
					mux := http.NewServeMux()
					mux.Handle("/x", h)
					srv := httptest.NewUnstartedServer(mux)
					srv.Config.ErrorLog = log.New(io.Discard, "", 0)
					srv.Start()
					t.Cleanup(srv.Close)
					return srv.URL
				}
				want := asked(t, serve(nil), request)
				cached := serve(cache(r.Store))
				for _, round := range []string{"first", "second", "third"} {
					same(t, want, asked(t, cached, request), strings.Join([]string{name, mode, request, round}, ", "))
				}
				same(t, want, asked(t, serve(cache(withoutRedis(t))), request), strings.Join([]string{name, mode, request, "no Redis"}, ", "))
			}
		}
	}
	t.Logf("%d rows, 4 answers each", rows)
	assert.GreaterOrEqual(t, rows, 120)
}

// withoutRedis is a Store whose Redis refuses connections.
func withoutRedis(t *testing.T) *strategies.Store {
	t.Helper()
	c, err := client.New(client.Config{URL: "http://127.0.0.1:1", Token: "t", MaxRetries: client.NoRetry, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(context.Background()) }) // what is pending stays so
	return store
}

func same(t *testing.T, want, got seen, what string) {
	t.Helper()
	if want.Status == got.Status && want.Body == "too late" { // whoever notices first says it
		return
	}
	if want.Status == http.StatusRequestedRangeNotSatisfiable { // its text is anybody's
		want.Body, got.Body = "", ""
		want.Said = nil
		want.Header, got.Header = map[string]string{"": want.Header["Content-Range"]}, map[string]string{"": got.Header["Content-Range"]}
	}
	for name, value := range want.Said { // what the bare handler says of these stands; what it does not, the cache adds
		if name != "Content-Length" || got.Status == want.Status && !want.Broken && got.Said[name] != "" {
			assert.Equal(t, value, got.Said[name], "%s: %s", what, name)
		}
	}
	if !want.Broken { // of an answer that breaks off the client may see more or less
		if len(want.Body) > 100 && want.Body == got.Body {
			want.Body, got.Body = "", ""
		}
		if !maps.Equal(want.Header, got.Header) || want.Status != got.Status || want.Body != got.Body || want.Trailer != got.Trailer || got.Broken {
			t.Errorf("%s:\nwant %d %.80q %v %s\ngot  %d %.80q %v %s", what, want.Status, want.Body, want.Header, want.Trailer, got.Status, got.Body, got.Header, got.Trailer)
		}
		return
	}
	assert.True(t, got.Broken, "%s: the client sees the break: %.200v", what, got)
}
