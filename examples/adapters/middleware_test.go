package adapters_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

type middleware = func(http.Handler) http.Handler

// What these middlewares add, outside of the cache or inside, is in every answer as it
// is without a cache: of a miss, of hits, and with Redis away.
func TestMiddlewareAnswersAsWithoutACache(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"1"`)
		w.Header().Add("Vary", "Accept-Language")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("a line that packs well\n", 200)))
	})
	preset := handler.Config{Prefix: "page", TTL: time.Minute, Public: true}
	caches := map[string]func(*strategies.Store) middleware{
		"preset":     func(s *strategies.Store) middleware { return handler.Cache(s, preset) },
		"by headers": func(s *strategies.Store) middleware { return httpcache.Cache(s, httpcache.Config{}) },
	}
	packs, err := gzhttp.NewWrapper(gzhttp.RandomJitter(0, 0, false))
	require.NoError(t, err)
	libraries := map[string]middleware{
		"otelhttp": otelhttp.NewMiddleware("x", otelhttp.WithTracerProvider(sdktrace.NewTracerProvider())),
		"cors": cors.New(cors.Options{AllowedOrigins: []string{"https://a.example", "https://b.example"}, AllowCredentials: true,
			AllowedMethods: []string{"GET", "PUT"}}).Handler,
		"gzhttp": func(h http.Handler) http.Handler { return packs(h) },
	}
	requests := []string{"GET", "HEAD", "POST", "GET\nAccept-Encoding: gzip", "GET\nOrigin: https://a.example", "GET\nOrigin: https://b.example",
		"GET\nOrigin: https://evil.example", "OPTIONS\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT",
		"GET\nIf-None-Match: \"1\"", "GET\nRange: bytes=5-9", "GET\nAccept-Encoding: gzip\nOrigin: https://a.example"}
	for name, library := range libraries {
		for how, cache := range caches {
			for place, mount := range map[string]func(cached middleware) http.Handler{
				"outside": func(cached middleware) http.Handler { return library(cached(page)) },
				"inside":  func(cached middleware) http.Handler { return cached(library(page)) },
			} {
				if place == "inside" && how == "preset" && name != "otelhttp" {
					continue // a preset's handler does not see who asks for what: by design it answers everybody alike
				}
				t.Run(name+" "+place+" "+how, func(t *testing.T) {
					bare := mount(func(h http.Handler) http.Handler { return h })
					srv := upstashtest.Run(t)
					cached := mount(cache(storeOn(t, srv.URL, srv.Token)))
					away := mount(cache(storeOn(t, "http://127.0.0.1:1", "t")))
					for range 3 { // each request finds what the others have stored
						for _, request := range requests {
							want := ask(t, bare, request)
							assert.Equal(t, want, ask(t, cached, request), request)
							assert.Equal(t, want, ask(t, away, request), "no Redis: "+request)
						}
					}
				})
			}
		}
	}
}

func storeOn(t *testing.T, url, token string) *strategies.Store {
	t.Helper()
	c, err := client.New(client.Config{URL: url, Token: token, MaxRetries: client.NoRetry})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Executor: strategies.Inline(time.Second)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = store.Close(ctx) // what is pending without Redis stays so
	})
	return store
}

// answer is what a client can tell, but for the fields that a cache adds or decides on.
type answer struct {
	status int
	header map[string]string
	body   string
}

var ofTheCache = []string{"X-Cache", "Cache-Status", "Age", "Date", "Cache-Control", "Accept-Ranges", "Content-Length", "Transfer-Encoding", "Last-Modified"}

func ask(t *testing.T, h http.Handler, request string) answer {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	lines := strings.Split(request, "\n")
	r, err := http.NewRequestWithContext(t.Context(), lines[0], srv.URL+"/x", nil)
	require.NoError(t, err)
	r.Host = "page.example"
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	a := answer{status: res.StatusCode, body: fmt.Sprintf("%d bytes, %x", len(body), sha256.Sum256(body)), header: map[string]string{}}
	for name, lines := range res.Header {
		if !slices.Contains(ofTheCache, name) {
			a.header[name] = strings.Join(lines, " | ")
		}
	}
	return a
}

// Outside of the cache otelhttp has a span for each request, with its status, and the
// handler's own span is below that of the request that ran it.
func TestMiddlewareSpansOfHitsAndMisses(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	tracer := provider.Tracer("app")
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, span := tracer.Start(r.Context(), "handler")
		defer span.End()
		io.WriteString(w, "x")
	})
	srv := upstashtest.Run(t)
	store := storeOn(t, srv.URL, srv.Token)
	cached := handler.Cache(store, handler.Config{Prefix: "page", TTL: time.Minute, Public: true})(page)
	h := otelhttp.NewHandler(cached, "request", otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{}))
	for range 3 {
		ask(t, h, "GET\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	}
	var requests, runs []sdktrace.ReadOnlySpan
	for _, s := range spans.Ended() {
		assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", s.SpanContext().TraceID().String())
		if s.SpanKind() == trace.SpanKindServer {
			requests = append(requests, s)
			assert.Contains(t, s.Attributes(), attribute.Int("http.response.status_code", 200))
			assert.Contains(t, s.Attributes(), attribute.Int64("http.response.body.size", 1))
		} else {
			runs = append(runs, s)
		}
	}
	require.Len(t, requests, 3)
	require.Len(t, runs, 1, "two were hits")
	assert.Equal(t, requests[0].SpanContext().SpanID(), runs[0].Parent().SpanID())
}
