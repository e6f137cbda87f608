package handler

import (
	"net/http"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// WriteStatus writes the status of a read from the cache outside the
// middleware, such as a [strategies.Cache.Get] with strategies.Report, as
// X-Cache and Cache-Status. Call it before the header is sent.
func WriteStatus(w http.ResponseWriter, st strategies.Status) {
	route.WriteStatus(w.Header(), st)
}
