package adapters_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	recovery "github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/labstack/echo/v4"

	"github.com/cldcde/restash/examples/adapters"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// answers is how many each router gives in the test below, to clients that ask at once.
const (
	answers = 20_000
	clients = 64
)

// a router mounts one cached and one plain route, whose handlers answer with
// the identity in the path. Each takes it from where that router's users do.
type router struct {
	name  string
	serve func(t *testing.T, cached func(http.Handler) http.Handler) (url string)
}

func routers() []router {
	return []router{
		{"net/http", func(t *testing.T, cached func(http.Handler) http.Handler) string {
			mux := http.NewServeMux()
			say := sayer(func(r *http.Request) string { return r.PathValue("id") })
			mux.Handle("GET /users/{id}", cached(say))
			mux.Handle("GET /orders/{id}", say)
			return listen(t, mux)
		}},
		{"chi", func(t *testing.T, cached func(http.Handler) http.Handler) string {
			r := chi.NewRouter()
			say := sayer(func(r *http.Request) string { return chi.URLParam(r, "id") })
			r.With(cached).Method("GET", "/users/{id}", say)
			r.Method("GET", "/orders/{id}", say)
			return listen(t, r)
		}},
		{"gin", func(t *testing.T, cached func(http.Handler) http.Handler) string {
			gin.SetMode(gin.ReleaseMode)
			engine := gin.New()
			engine.Use(gin.RecoveryWithWriter(io.Discard))
			say := sayer(func(r *http.Request) string { return r.PathValue("id") })
			engine.GET("/users/:id", adapters.Gin(cached(say)))
			engine.GET("/orders/:id", adapters.Gin(say))
			return listen(t, engine)
		}},
		{"echo", func(t *testing.T, cached func(http.Handler) http.Handler) string {
			e := echo.New()
			// The way echo itself puts a middleware of net/http's around a route.
			say := func(c echo.Context) error {
				sayer(func(*http.Request) string { return c.Param("id") }).ServeHTTP(c.Response(), c.Request())
				return nil
			}
			e.GET("/users/:id", say, echo.WrapMiddleware(cached))
			e.GET("/orders/:id", say)
			return listen(t, e)
		}},
		{"fiber", func(t *testing.T, cached func(http.Handler) http.Handler) string {
			app := fiber.New()
			app.Use(recovery.New())
			say := sayer(func(r *http.Request) string { return r.PathValue("id") })
			app.Get("/users/:id", adapters.Fiber(cached(say)))
			app.Get("/orders/:id", adapters.Fiber(say))
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
			t.Cleanup(func() { app.Shutdown() })
			return "http://" + l.Addr().String()
		}},
	}
}

func listen(t *testing.T, h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // panics on purpose
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// sayer answers with what a handler finds in its request, before and after a
// while in which the router might give the request to another.
func sayer(id func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Clone(r.URL.Path)
		first := id(r)
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		}
		if rand.IntN(200) == 0 {
			panic("on purpose")
		}
		fmt.Fprintf(w, "%s %s %s", path, first, id(r))
	})
}

// One user is never answered with another's data, whatever the router takes
// back when a request ends: answers go stale all the time, clients leave, and
// handlers panic.
func TestNobodyGetsAnothersAnswer(t *testing.T) {
	for _, router := range routers() {
		t.Run(router.name, func(t *testing.T) {
			store := newStore()
			t.Cleanup(func() { store.Close(context.Background()) })
			cached := handler.Cache(store, handler.Config{Prefix: "u", TTL: 20 * time.Millisecond, StaleWhileRevalidate: time.Minute, Public: true})
			a := &asking{t: t, url: router.serve(t, cached), http: &http.Client{
				Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients},
			}}
			var wg sync.WaitGroup
			for range clients {
				wg.Go(a.run)
			}
			wg.Wait()
			a.http.CloseIdleConnections()
			t.Logf("%d answers (%d hits, %d stale), %d without one, %d wrong", a.right.Load(), a.hits.Load(), a.stale.Load(), a.none.Load(), a.wrong.Load())
			if a.wrong.Load() > 0 || a.stale.Load() == 0 || a.hits.Load() == 0 {
				t.Fail()
			}
		})
	}
}

type asking struct {
	t    *testing.T
	url  string
	http *http.Client

	right, wrong, none, hits, stale atomic.Int64
}

func (a *asking) run() {
	for a.right.Load() < answers && a.wrong.Load() < 10 {
		kind, id := "users", fmt.Sprint("u", rand.IntN(24))
		if rand.IntN(3) == 0 {
			kind, id = "orders", fmt.Sprint("o", rand.IntN(1000))
		}
		a.ask("/"+kind+"/"+id, id)
	}
}

func (a *asking) ask(path, id string) {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if rand.IntN(20) == 0 {
		time.AfterFunc(time.Duration(rand.IntN(1000))*time.Microsecond, leave)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		a.t.Error(err)
		return
	}
	res, err := a.http.Do(r)
	if err != nil {
		a.none.Add(1)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		a.none.Add(1)
		return
	}
	if want := path + " " + id + " " + id; string(body) != want {
		a.wrong.Add(1)
		a.t.Errorf("want %q, got %q (%s)", want, body, res.Header.Get("Cache-Status"))
		return
	}
	a.right.Add(1)
	switch res.Header.Get("X-Cache") {
	case strategies.Hit.String():
		a.hits.Add(1)
	case strategies.Stale.String():
		a.stale.Add(1)
	}
}
