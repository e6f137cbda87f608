package catalog_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
)

// The whole platform on a local server and a database in memory.
func Example() {
	server, err := upstashtest.New(upstashtest.Config{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	redis, err := client.New(client.Config{URL: server.URL, Token: server.Token, HTTPClient: server.HTTPClient()})
	if err != nil {
		log.Fatal(err)
	}
	store, err := strategies.NewStore(redis, strategies.StoreConfig{Executor: strategies.Inline(strategies.DefaultInline)})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close(context.Background())

	pool, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	database, err := catalog.NewDatabase(pool, catalog.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	database.PrepareOnUse()
	app, err := catalog.New(catalog.Config{Database: database, Store: store, AllowWrites: true})
	if err != nil {
		log.Fatal(err)
	}

	ask := func(method, path, body string) {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		fmt.Println(strings.TrimSpace(fmt.Sprintln(method, path, w.Code, w.Header().Get("X-Cache"))))
	}
	ask("GET", "/api/extensions?category=devtools", "")
	ask("GET", "/api/extensions?category=devtools", "")
	ask("POST", "/api/extensions", `{"name":"@ada/engine","version":"1.0.0","category":"devtools"}`)
	ask("GET", "/api/extensions?category=devtools", "")
	report, err := app.Warm(context.Background(), warm.Options{})
	fmt.Println(report.Failed, err)
	ask("GET", "/api/mcp?sort=rating", "")
	// Output:
	// GET /api/extensions?category=devtools 200 MISS
	// GET /api/extensions?category=devtools 200 HIT
	// POST /api/extensions 201
	// GET /api/extensions?category=devtools 200 MISS
	// 0 <nil>
	// GET /api/mcp?sort=rating 200 HIT
}
