package ops

import (
	_ "embed"
	"net/http"

	"github.com/cldcde/restash/strategies"
)

//go:embed dashboard.html
var dashboardPage []byte

// dashboardPolicy lets the page run its own inline script and style, by their
// hashes, and talk to its own origin: nothing else.
var dashboardPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; " +
	"script-src " + inlineHashes(dashboardPage, "script") + "; style-src " + inlineHashes(dashboardPage, "style")

// Dashboard shows on one page, which loads nothing from elsewhere and asks for new
// numbers every five seconds, how store does: answers, commands and errors per
// second of the last quarter of an hour, the breaker's states, why answers were not
// the cache's, the loaders' latency, the bill of the day and what was saved, routes
// and functions, the keys that miss most, pending invalidations, and all instances
// beside this one where the Store has StoreConfig.FleetMetrics. The numbers come from
// the same path with "Accept: application/json", also while Redis is down.
//
// With [Secret] the page itself is shown to anyone, holds no number, and asks
// for the secret, which it keeps in the tab's memory only. Keys may tell who asked for
// what: without [Secret], put the page behind an access check of your own.
func Dashboard(store *strategies.Store, options ...Option) http.Handler {
	a := accessOf(options)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if onlyMethods(w, r, http.MethodGet, http.MethodHead) {
			return
		}
		if wantsJSON(r.Header) {
			if !a.refuse(w, r) {
				writeJSON(w, http.StatusOK, reportOf(r.Context(), store))
			}
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", dashboardPolicy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Vary", "Accept")
		_, _ = w.Write(dashboardPage) // an error means that the client has left
	})
}
