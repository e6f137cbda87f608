package catalog

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/cldcde/restash/handler/ops"
)

// routes is the whole table of routes. GET routes under [handler.Cache] are
// checked before the cache is asked, so a bad request costs no command.
func (a *App) routes() http.Handler {
	t := &routeTable{app: a, mux: http.NewServeMux(), methods: map[string][]string{}}
	for _, k := range kinds {
		t.cached(k.list, "GET "+k.path, checked(checkList), a.list(k))
		t.cached(k.detail, "GET "+k.path+"/{id}", checked(checkID), a.detail(k))
		t.cached(k.userList, "GET /api/users/{name}/"+k.userPath, checked(checkUserList), a.userList(k))
		t.writing("POST "+k.path, a.create(k))
		t.writing("PUT "+k.path+"/{id}", a.update(k))
		t.writing("POST "+k.path+"/{id}/rating", a.rate(k))
		t.writing("POST "+k.path+"/{id}/download", a.download(k))
	}
	t.cached(UserStats, "GET /api/users/{name}/stats", checked(checkName), a.userStats)
	t.cached(Categories, "GET /api/categories", nil, a.categories)
	t.cached(Statistics, "GET /api/stats", nil, a.stats)
	t.plain("GET /api/users/{name}", a.profile)
	t.plain("GET /api/featured/{type}", a.featuredItems)
	t.writing("PUT /api/users/{name}", a.saveProfile)
	t.writing("POST /api/login", a.login)
	t.handle("GET /api/cache/metrics", a.showsPending(ops.Metrics(a.store)))
	t.handle("POST /api/cache/invalidate", a.purges(ops.Purge(a.store, ops.Secret(a.config.PurgeSecret), ops.App(a))))
	t.handle("GET /api/cron/warm", a.cron())
	t.handle("POST /api/cron/warm", a.cron())
	t.plain("GET /{$}", t.index)
	t.plain("GET /api", t.index)
	t.plain("GET /api/openapi.json", t.describe)
	t.refuseOthers()
	return t.mux
}

// guard is around everything: it survives panics, refuses what no route could
// want, and keeps pages of other sites from writing in a browser's name.
func (a *App) guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fail(a.config.Logger, w, r, problem{http.StatusForbidden, "cross_origin", "other sites may not write here"})
	}))
	next = sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.recovered(w, r)
		if err := checkQuery(r.URL); err != nil {
			fail(a.config.Logger, w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovered answers 500 after a panic: on some platforms one ends the process.
func (a *App) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause) // the server's own way to hang up
	}
	a.config.Logger.ErrorContext(r.Context(), "panic", "method", r.Method, "path", r.URL.Path, "cause", fmt.Sprint(cause))
	fail(a.config.Logger, w, r, problem{http.StatusInternalServerError, "internal", "something went wrong"})
}

// checkQuery refuses query strings that are too long, and those that Go's
// parser would silently read only in part, such as ones with a semicolon.
func checkQuery(u *url.URL) error {
	if len(u.RawQuery) > MaxQuery {
		return problem{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the query is longer than %d bytes", MaxQuery)}
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return invalid("the query string cannot be read; write a semicolon as %3B and a percent sign as %25")
	}
	return nil
}
