package ops

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/cldcde/restash/internal/json"
)

// Option varies one of the operators' endpoints.
type Option func(*access)

// access is who may use an endpoint, and what it works on.
type access struct {
	demanded bool
	secret   string
	app      http.Handler
}

// Secret demands "Authorization: Bearer <secret>" of every request, compared in
// constant time. An empty secret refuses every request, so that a variable that
// was not set opens nothing.
func Secret(secret string) Option {
	return func(a *access) { a.demanded, a.secret = true, secret }
}

// App gives [Purge] the application, through which it finds the entry of a URL: a
// GET request for it goes through app as far as the cache, which takes it out.
func App(app http.Handler) Option { return func(a *access) { a.app = app } }

func accessOf(options []Option) access {
	var a access
	for _, set := range options {
		set(&a)
	}
	return a
}

// refuse answers a request that may not pass, and reports that it did.
func (a access) refuse(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case !a.demanded:
		return false
	case a.secret == "":
		writeError(w, http.StatusForbidden, "forbidden", "no secret is configured for this endpoint")
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.secret))
	if strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="cache"`)
	writeError(w, http.StatusUnauthorized, "unauthorized", "a bearer secret is needed")
	return true
}

// writeJSON answers an operator; nothing of it is ever cached.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"code":"internal","message":"the answer could not be written"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // an error means that the client has left
}

// writeError answers with the one form that errors have here: a code for
// programs and a message for people.
func writeError(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]string{"code": code, "message": message})
}

// onlyMethods refuses other methods, and reports that it did.
func onlyMethods(w http.ResponseWriter, r *http.Request, allowed ...string) bool {
	for _, m := range allowed {
		if r.Method == m {
			return false
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	writeError(w, http.StatusMethodNotAllowed, "method_not_allowed", "use "+strings.Join(allowed, " or "))
	return true
}
