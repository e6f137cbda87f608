package catalog

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/cldcde/restash/handler"
)

// routeTable registers routes and remembers their methods.
type routeTable struct {
	app     *App
	mux     *http.ServeMux
	methods map[string][]string // path to methods
}

func (t *routeTable) handle(pattern string, h http.Handler) {
	method, path, _ := strings.Cut(pattern, " ")
	t.methods[path] = append(t.methods[path], method)
	t.mux.Handle(pattern, h)
}

func (t *routeTable) plain(pattern string, act action) { t.handle(pattern, t.app.limited(act)) }

// cached puts a route under the cache: first the check, then the cache, then the database.
func (t *routeTable) cached(preset handler.Config, pattern string, c check, act action) {
	answer := t.app.tagged(preset, handler.Cache(t.app.store, t.app.preset(preset))(t.app.limited(act)))
	t.handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c != nil {
			if err := c(r); err != nil {
				fail(t.app.config.Logger, w, r, err)
				return
			}
		}
		answer.ServeHTTP(w, r)
	}))
}

// writing asks for the write token first.
func (t *routeTable) writing(pattern string, act action) {
	limited := t.app.limited(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		return act(w, r)
	})
	if t.app.config.AllowWrites {
		t.handle(pattern, limited)
		return
	}
	t.handle(pattern, t.app.secret(t.app.config.WriteToken, limited.ServeHTTP))
}

// refuseOthers answers unknown paths and methods in JSON.
func (t *routeTable) refuseOthers() {
	for path, methods := range t.methods {
		slices.Sort(methods)
		allow := strings.Join(methods, ", ")
		t.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			fail(t.app.config.Logger, w, r, problem{http.StatusMethodNotAllowed, "method_not_allowed", "allowed here: " + allow})
		})
	}
	t.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(t.app.config.Logger, w, r, ErrNotFound)
	})
}

// index lists the routes and says where they are described.
func (t *routeTable) index(w http.ResponseWriter, _ *http.Request) error {
	var list []string
	for path, methods := range t.methods {
		for _, method := range methods {
			list = append(list, method+" "+strings.TrimSuffix(path, "{$}"))
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		_, pathA, _ := strings.Cut(a, " ")
		_, pathB, _ := strings.Cut(b, " ")
		return strings.Compare(pathA+a, pathB+b)
	})
	answer(w, http.StatusOK, map[string]any{"routes": list, "openapi": "/api/openapi.json"})
	return nil
}

// limited bounds the time of an action and answers its error.
func (a *App) limited(act action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.config.Timeout)
		defer cancel()
		if err := act(w, r.WithContext(ctx)); err != nil {
			fail(a.config.Logger, w, r, err)
		}
	})
}

func checked(c check) check { return c }

// secret asks for a bearer token; an unset one refuses everybody.
func (a *App) secret(want string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if want == "" || !isBearer || !sameText(given, want) {
			fail(a.config.Logger, w, r, problem{http.StatusForbidden, "forbidden", "this route needs its bearer token"})
			return
		}
		next(w, r)
	})
}

// sameText compares in a time that tells nothing, not even the length.
func sameText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
