package adapters

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
)

// Chi makes a middleware fit for chi: chi takes its route context back when a
// request ends, so the middleware gets a copy that chi.URLParam can still read
// in a load that goes on.
func Chi(cache func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		cached := cache(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if route := chi.RouteContext(r.Context()); route != nil {
				own := *route
				own.URLParams.Keys = slices.Clone(route.URLParams.Keys)
				own.URLParams.Values = slices.Clone(route.URLParams.Values)
				own.RoutePatterns = slices.Clone(route.RoutePatterns)
				r = r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, &own))
			}
			cached.ServeHTTP(w, r)
		})
	}
}
