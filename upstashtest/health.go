package upstashtest

import (
	"encoding/json"
	"net/http"
)

// healthPath tells whoever asks, without a token, whether the server works. It
// is not billed and not intercepted.
const healthPath = "/_restash/health"

// serveHealth answers 200 if the engine answers, and 503 with the cause.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	state := struct {
		Status string `json:"status"`
		Error  string `json:"error,omitempty"`
	}{Status: "ok"}
	code := http.StatusOK
	if _, err := s.engine.Do(r.Context(), []string{"PING"}); err != nil {
		state.Status, state.Error, code = "down", err.Error(), http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	b, err := json.Marshal(state)
	if err != nil {
		code = http.StatusInternalServerError
	}
	w.WriteHeader(code)
	s.write(w, b)
}
