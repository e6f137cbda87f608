package handler_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
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

func ExampleCache() {
	store, done := exampleStore()
	defer done()
	list := handler.Config{
		Prefix: "extensions", TTL: time.Hour, StaleWhileRevalidate: 5 * time.Minute,
		Tags:  []string{"extensions", "category:{category}"},
		Query: handler.Query{"category": "", "sort": "downloads", "page": "1"}, Public: true,
	}
	mux := http.NewServeMux()
	mux.Handle("GET /api/extensions", handler.Cache(store, list)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "page ", r.FormValue("page"), " by ", r.FormValue("sort"))
	})))
	visit(mux, "/api/extensions?sort=recent")
	visit(mux, "/api/extensions?sort=recent&page=1&utm_source=mail")
	visit(mux, "/api/extensions?sort=recent&category=devtools")
	if _, err := store.Invalidate(context.Background(), invalidate.Tags("category:devtools")); err != nil {
		fmt.Println(err)
	}
	visit(mux, "/api/extensions?sort=recent")
	visit(mux, "/api/extensions?sort=recent&category=devtools")
	// Output:
	// MISS page 1 by recent
	// HIT  page 1 by recent
	// MISS page 1 by recent
	// HIT  page 1 by recent
	// MISS page 1 by recent
}

// A stored route is warmed through the application's own mux.
func ExampleWarm() {
	store, done := exampleStore()
	defer done()
	detail := handler.Details.Config("extension")
	mux := http.NewServeMux()
	mux.Handle("GET /api/extensions/{id}", handler.Cache(store, detail)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "extension "+r.PathValue("id"))
	})))
	report, err := warm.Run(context.Background(), store, handler.Warm(detail, mux, "/api/extensions/a", "/api/extensions/b"))
	fmt.Println(report, err)
	visit(mux, "/api/extensions/b")
	// Output:
	// warmed 2, fresh 0, failed 0, commands 2, trips 2 <nil>
	// HIT  extension b
}

// WriteStatus says how a read outside the middleware was answered.
func ExampleWriteStatus() {
	store, done := exampleStore()
	defer done()
	users := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
	profile := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var st strategies.Status
		name, err := users.Get(r.Context(), "ada", func(context.Context, string) (string, error) { return "Ada", nil }, strategies.Report(&st))
		if err != nil {
			http.Error(w, "no such user", http.StatusNotFound)
			return
		}
		handler.WriteStatus(w, st)
		io.WriteString(w, name)
	})
	visit(profile, "/")
	visit(profile, "/")
	// Output:
	// MISS Ada
	// HIT  Ada
}
