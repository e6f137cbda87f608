package rig

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Spoil asks h through a middleware that changes all header lines in place, when the
// header is sent and when the handler has returned. It returns the header as it was.
func Spoil(h http.Handler, r *http.Request) http.Header {
	w := &spoiler{ResponseWriter: httptest.NewRecorder()}
	h.ServeHTTP(w, r)
	w.spoil()
	return w.seen
}

// NotSpoiled fails if a line was changed by another request's middleware.
func NotSpoiled(t testing.TB, h http.Header) {
	t.Helper()
	for name, lines := range h {
		assert.NotContains(t, lines, spoiled, name)
	}
}

const spoiled = "spoiled"

type spoiler struct {
	http.ResponseWriter
	seen http.Header
}

func (s *spoiler) WriteHeader(status int) {
	s.seen = s.Header().Clone()
	s.spoil()
	s.ResponseWriter.WriteHeader(status)
}

func (s *spoiler) Write(p []byte) (int, error) {
	if s.seen == nil {
		s.WriteHeader(http.StatusOK)
	}
	return s.ResponseWriter.Write(p)
}

func (s *spoiler) spoil() {
	for _, lines := range s.Header() {
		for i := range lines {
			lines[i] = spoiled
		}
	}
}
