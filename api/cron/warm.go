// Package handler is the cron job of the sample platform as a Vercel function
// of its own, because warming may take longer than a request should.
//
// Vercel calls it with GET and the CRON_SECRET as bearer token; anybody else is
// refused.
package handler

import (
	"net/http"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

// routes has all routes; the platform sends only /api/cron/warm here.
var routes = catalog.Lazy(func() (*catalog.App, error) {
	return catalog.FromEnv("pgx", strategies.StoreConfig{})
})

// Cron warms the cache and answers with the report.
func Cron(w http.ResponseWriter, r *http.Request) { routes.ServeHTTP(w, r) }
