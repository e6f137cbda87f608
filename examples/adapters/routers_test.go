package adapters_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	recovery "github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/labstack/echo/v4"

	"github.com/cldcde/restash/examples/adapters"
)

// who takes the identity in the path from where a router's users do.
type who = func(*http.Request) string

// mounting is a route /path/{id} for GET, HEAD and POST.
type mounting struct {
	path    string
	cached  middleware
	handler func(who) http.Handler
}

func bare(h http.Handler) http.Handler { return h }

// router serves routes until the test ends.
type router struct {
	name  string
	serve func(t *testing.T, mounts ...mounting) (url string)
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost}

func byPathValue(r *http.Request) string { return r.PathValue("id") }

func routers() []router {
	return []router{{"net/http", serveMux}, {"chi", serveChi}, {"gin", serveGin}, {"echo", serveEcho}, {"fiber", serveFiber}}
}

func serveMux(t *testing.T, mounts ...mounting) string {
	mux := http.NewServeMux()
	for _, m := range mounts {
		h := m.cached(m.handler(byPathValue))
		mux.Handle("GET /"+m.path+"/{id}", h) // HEAD is its, too
		mux.Handle("POST /"+m.path+"/{id}", h)
	}
	return listen(t, mux)
}

func serveChi(t *testing.T, mounts ...mounting) string {
	r := chi.NewRouter()
	for _, m := range mounts {
		h := m.handler(func(r *http.Request) string { return chi.URLParam(r, "id") })
		for _, method := range methods {
			r.With(m.cached).Method(method, "/"+m.path+"/{id}", h)
		}
	}
	return listen(t, r)
}

func serveGin(t *testing.T, mounts ...mounting) string {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.RecoveryWithWriter(io.Discard))
	for _, m := range mounts {
		engine.Match(methods, "/"+m.path+"/:id", adapters.Gin(m.cached(m.handler(byPathValue))))
	}
	return listen(t, engine)
}

// serveEcho goes the way that echo itself puts a middleware of net/http's around a
// route.
func serveEcho(t *testing.T, mounts ...mounting) string {
	e := echo.New()
	for _, m := range mounts {
		say := func(c echo.Context) error {
			m.handler(func(*http.Request) string { return c.Param("id") }).ServeHTTP(c.Response(), c.Request())
			return nil
		}
		e.Match(methods, "/"+m.path+"/:id", say, echo.WrapMiddleware(m.cached))
	}
	return listen(t, e)
}

func serveFiber(t *testing.T, mounts ...mounting) string {
	app := fiber.New(fiber.Config{BodyLimit: 8 << 20})
	app.Use(recovery.New())
	for _, m := range mounts {
		app.Add(methods, "/"+m.path+"/:id", adapters.Fiber(m.cached(m.handler(byPathValue))))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	t.Cleanup(func() { app.Shutdown() })
	return "http://" + l.Addr().String()
}

func listen(t *testing.T, h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // panics on purpose
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
