package route

import (
	"context"
	"net/http"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Mark goes with a warming request through the application, in its context: no
// client can send one.
type Mark struct {
	// Route is the one that is meant; its middleware takes the request out. nil
	// means the first one on the way.
	Route *Route
	// Want is what the request is for.
	Want Want

	// Found says that the request came to the route.
	Found bool
	Key   string
	Tags  []string
	// Resp is the answer, or Why says that it may not be stored; Late that it
	// has tags or a Vary of its own and must be served to be stored.
	Resp *record.Response
	Late bool
	Why  rfc9111.Refusal

	// Fresh and Stored are how a served request was answered.
	Fresh, Stored bool
	// Varies says that it has a Vary.
	Varies bool
	// commands and trips that serving it took
	commands, trips int
}

// Want is what a marked request is for.
type Want int

const (
	// WantKey asks for the key and the tags only.
	WantKey Want = iota
	// WantAnswer asks for the answer, which is not stored.
	WantAnswer
	// WantServed lets the request be served, and its answer stored, as a
	// client's that accepts nothing stored.
	WantServed
)

type markKey struct{}

// MarkOf is the mark of a request that warms this route, nil if it does not.
func (r *Route) MarkOf(ctx context.Context) *Mark {
	m, _ := ctx.Value(markKey{}).(*Mark)
	if m == nil || m.Found && m.Want == WantKey || m.Route != nil && m.Route != r {
		return nil
	}
	m.Found, m.Route = true, r
	return m
}

// Unmarked is r for the handler, whose own requests through the application
// are no warming ones.
func Unmarked(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), markKey{}, (*Mark)(nil)))
}
