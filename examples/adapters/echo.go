package adapters

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Echo mounts a cached handler as an echo route. The route's parameters become
// path values of the request, under their names in echo.
func Echo(cached http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request().WithContext(c.Request().Context())
		r.Pattern = c.Request().Method + " " + pattern(c.Path())
		for i, name := range c.ParamNames() {
			r.SetPathValue(name, c.ParamValues()[i])
		}
		cached.ServeHTTP(c.Response(), r)
		return nil
	}
}
