package route

import (
	"context"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Rules are what the middlewares decide differently, for one request.
type Rules interface {
	// Load answers a miss: by job.Ask, or without the handler.
	Load(ctx context.Context, job *Job) (*record.Response, error)
	// Request is what the handler is asked, without body and conditions.
	Request() *http.Request
	// Confirm makes inner conditional on a stored response, and reports that it did.
	Confirm(inner *http.Request, old *record.Response) bool
	// Refuses says why an answer is not stored, when its header is known.
	Refuses(asked *http.Request, status int, h http.Header, now time.Time) rfc9111.Refusal
	// Lasting reports whether a refusal speaks of the next such request too.
	Lasting(answer http.Header) bool
	// Downstream writes what caches behind this one may do with an answer: one
	// that is stored and fresh for left, or one that is not.
	Downstream(f *record.Fields, stored bool, left time.Duration)
	// FallsBack reports whether a stored response takes the place of an error.
	FallsBack(job *Job) bool
	// Complete makes an answer ready to be stored. It notes in out what it finds.
	Complete(job *Job, resp *record.Response, out *Outcome)
	// Live sets how long a response is stored.
	Live(job *Job, resp *record.Response)
}
