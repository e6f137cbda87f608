package adapters

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
)

// Fiber mounts a cached handler as a fiber route. The route's parameters become
// path values of the request. fasthttp reuses the bytes of a request, so the
// handler gets a copy.
func Fiber(cached http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		route, names := pattern(strings.Clone(c.Route().Path)), c.Route().Params
		values := make([]string, len(names))
		for i, name := range names {
			values[i] = strings.Clone(c.Params(name))
		}
		return adaptor.HTTPHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// fasthttp's own context is recycled, too, and ends only with the server.
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			own := copied(ctx, r)
			own.Pattern = own.Method + " " + route
			for i, name := range names {
				own.SetPathValue(name, values[i])
			}
			cached.ServeHTTP(w, own)
		}))(c)
	}
}

// copied is r without anything that the server will write over.
func copied(ctx context.Context, r *http.Request) *http.Request {
	own := r.Clone(ctx)
	own.Method, own.Host, own.RequestURI = strings.Clone(r.Method), strings.Clone(r.Host), strings.Clone(r.RequestURI)
	own.RemoteAddr, own.Proto = strings.Clone(r.RemoteAddr), strings.Clone(r.Proto)
	if u, err := url.ParseRequestURI(own.RequestURI); err == nil {
		own.URL = u
	}
	own.Header = make(http.Header, len(r.Header))
	for name, lines := range r.Header {
		for _, line := range lines {
			own.Header.Add(strings.Clone(name), strings.Clone(line))
		}
	}
	return own
}
