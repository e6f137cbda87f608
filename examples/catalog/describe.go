package catalog

import (
	_ "embed"
	"net/http"
)

// openAPI describes every route and body, for people and for generators of
// clients. A test holds it to the routes and to what they take and answer.
//
//go:embed data/openapi.json
var openAPI []byte

// describe answers with the OpenAPI document.
func (t *routeTable) describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(openAPI) // a reader who left needs no answer
	return nil
}
