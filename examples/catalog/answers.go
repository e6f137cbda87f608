package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

// problem is an error with the answer it gets.
type problem struct {
	status  int
	code    string
	message string
}

func (p problem) Error() string { return p.message }

// invalid is the answer to a request that cannot be understood.
func invalid(message string) problem {
	return problem{http.StatusBadRequest, "invalid_request", message}
}

// asProblem finds the answer to an error. What went wrong inside is logged, not told.
func asProblem(logger *slog.Logger, r *http.Request, err error) problem {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return problem{http.StatusNotFound, "not_found", "no such thing: " + r.URL.Path}
	case errors.Is(err, ErrExists):
		return problem{http.StatusConflict, "exists", "an item with this id exists already"}
	case errors.Is(err, ErrConflict):
		return problem{http.StatusConflict, "conflict", "the item was changed by others meanwhile"}
	}
	logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	return problem{http.StatusServiceUnavailable, "unavailable", "the catalogue cannot be read or written now"}
}

func fail(logger *slog.Logger, w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(logger, r, err)
	w.Header().Set("Cache-Control", "no-store")
	answer(w, p.status, map[string]string{"code": p.code, "message": p.message})
}

// askEachTime lets browsers keep an answer but ask whether it still holds, so
// that they see invalidations; package handler says the same on its routes.
func askEachTime(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age=0, must-revalidate")
}

// answer writes v as JSON. Length and type are set here because not every
// platform's writer finds them out by itself.
func answer(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil { // our own types always encode
		http.Error(w, `{"code":"internal","message":"the answer cannot be encoded"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a reader who left needs no answer
}

// action is a handler that returns what went wrong instead of writing it.
type action func(w http.ResponseWriter, r *http.Request) error

// check looks at a request before the cache does.
type check func(r *http.Request) error
