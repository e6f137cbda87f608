package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler/httpcache"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// exampleStore is a Store on a Redis in this process.
func exampleStore() (*strategies.Store, func()) {
	srv, err := upstashtest.New(upstashtest.Config{InMemory: true})
	if err != nil {
		panic(err)
	}
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	if err != nil {
		panic(err)
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{Executor: strategies.Inline(strategies.DefaultInline)})
	if err != nil {
		panic(err)
	}
	return store, func() {
		store.Close(context.Background())
		c.Close()
		srv.Close()
	}
}

// visit prints how a request was answered.
func visit(h http.Handler, url string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	fmt.Printf("%-4s %s\n", w.Header().Get("X-Cache"), w.Body)
}

// The handler's own header fields decide, after RFC 9111.
func ExampleCache() {
	store, done := exampleStore()
	defer done()
	h := httpcache.Cache(store, httpcache.Config{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Vary", "Accept-Language")
		io.WriteString(w, r.URL.Path)
	}))
	visit(h, "/a")
	visit(h, "/a")
	visit(h, "/b")
	// Output:
	// MISS /a
	// HIT  /a
	// MISS /b
}
