package adapters

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Gin mounts a cached handler as a gin route. The route's parameters become
// path values of the request, under their names in gin.
func Gin(cached http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request.WithContext(c.Request.Context())
		r.Pattern = c.Request.Method + " " + pattern(c.FullPath())
		for _, p := range c.Params {
			r.SetPathValue(p.Key, p.Value)
		}
		cached.ServeHTTP(c.Writer, r)
	}
}
