package adapters_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/adapters"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// detail is the preset of every example, and show the handler.
func detail() handler.Config {
	cfg := handler.Details.Config("extension")
	cfg.Tags = []string{"extension:{id}"}
	return cfg
}

func show(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, "extension "+r.PathValue("id"))
}

func newStore() *strategies.Store {
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
	return store
}

// visit asks for a, a again, and b.
func visit(ask func(*http.Request) *http.Response) {
	for _, path := range []string{"/extensions/a", "/extensions/a?utm=x", "/extensions/b"} {
		res := ask(httptest.NewRequest(http.MethodGet, path, nil))
		body, _ := io.ReadAll(res.Body)
		fmt.Printf("%-4s %s\n", res.Header.Get("X-Cache"), body)
	}
}

func serve(h http.Handler) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
}

func Example_netHTTP() {
	store := newStore()
	defer store.Close(context.Background())
	mux := http.NewServeMux()
	mux.Handle("GET /extensions/{id}", handler.Cache(store, detail())(http.HandlerFunc(show)))
	visit(serve(mux))
	// Output:
	// MISS extension a
	// HIT  extension a
	// MISS extension b
}

func Example_chi() {
	store := newStore()
	defer store.Close(context.Background())
	r := chi.NewRouter()
	r.With(handler.Cache(store, detail())).Get("/extensions/{id}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "extension "+chi.URLParam(r, "id"))
	})
	visit(serve(r))
	// Output:
	// MISS extension a
	// HIT  extension a
	// MISS extension b
}

func Example_gin() {
	store := newStore()
	defer store.Close(context.Background())
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/extensions/:id", adapters.Gin(handler.Cache(store, detail())(http.HandlerFunc(show))))
	visit(serve(engine))
	// Output:
	// MISS extension a
	// HIT  extension a
	// MISS extension b
}

func Example_echo() {
	store := newStore()
	defer store.Close(context.Background())
	e := echo.New()
	e.GET("/extensions/:id", adapters.Echo(handler.Cache(store, detail())(http.HandlerFunc(show))))
	visit(serve(e))
	// Output:
	// MISS extension a
	// HIT  extension a
	// MISS extension b
}

func Example_fiber() {
	store := newStore()
	defer store.Close(context.Background())
	app := fiber.New()
	app.Get("/extensions/:id", adapters.Fiber(handler.Cache(store, detail())(http.HandlerFunc(show))))
	visit(func(r *http.Request) *http.Response {
		res, err := app.Test(r)
		if err != nil {
			panic(err)
		}
		return res
	})
	// Output:
	// MISS extension a
	// HIT  extension a
	// MISS extension b
}
