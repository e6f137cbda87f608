package ops_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler/ops"
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

func ExamplePurge() {
	store, done := exampleStore()
	defer done()
	mux := http.NewServeMux()
	mux.Handle("POST /api/cache/invalidate", ops.Purge(store, ops.Secret("s3cret")))
	r := httptest.NewRequest(http.MethodPost, "/api/cache/invalidate?tag=extensions", nil)
	r.Header.Set("Authorization", "Bearer s3cret")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Print(w.Body)
	// Output:
	// {"targets":"tag(extensions)","dryRun":false,"count":1,"commands":1,"trips":1,"pending":0,"keys":0}
}

func ExampleMetrics() {
	store, done := exampleStore()
	defer done()
	w := httptest.NewRecorder()
	ops.Metrics(store).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/cache/metrics", nil))
	fmt.Println(w.Body.String()[:97])
	// Output:
	// {"metrics":{"hits":0,"misses":0,"errors":0,"hitRate":0,"avgLatency":0,"totalRequests":0},"scope":
}
