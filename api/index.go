// Package handler is the sample platform as one Vercel function: vercel.json
// rewrites every path to it, so all routes share one binary, one warm instance
// and one connection to Redis.
//
// It imports nothing internal of this module: Vercel's builder renames the
// module, and such an import would not compile. What else that builder rewrites,
// and what therefore must not stand here, is in vercel_test.go at the root.
package handler

import (
	"net/http"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

// routes lives as long as the instance. It is made by the first request; a
// failure is answered with 503 and tried again by the next one.
var routes = catalog.Lazy(func() (*catalog.App, error) {
	return catalog.FromEnv("pgx", strategies.StoreConfig{})
})

// Index answers every route but the cron job's.
func Index(w http.ResponseWriter, r *http.Request) { routes.ServeHTTP(w, r) }
