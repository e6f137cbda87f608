package catalog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sessionCookie carries the name of who logged in, an expiry and a signature.
const (
	sessionCookie = "catalog_session"
	sessionLife   = 24 * time.Hour
)

// loginNotice is part of every answer to a login.
const loginNotice = "demo login: no password is asked; the cookie only names the author of what is published"

// login sets a signed cookie for an existing user. It is a demonstration of what
// a login makes invalid, not of how to prove who somebody is.
func (a *App) login(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Username string `json:"username"`
	}
	if err := decodeBody(w, r, &body); err != nil {
		return err
	}
	if !namePattern.MatchString(body.Username) {
		return invalid("username must be a user's name")
	}
	err := a.db.Login(r.Context(), body.Username, a.now())
	if err == nil || errors.Is(err, ErrUnclear) {
		a.invalidate(w, r, LoggedIn{body.Username})
	}
	if errors.Is(err, ErrNotFound) {
		return problem{http.StatusUnauthorized, "unauthorized", "username: there is no such user"}
	}
	if err != nil {
		return err
	}
	expires := a.now().Add(sessionLife)
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: a.sign(body.Username, expires), Path: "/", Expires: expires,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
	answer(w, http.StatusOK, map[string]any{"username": body.Username, "notice": loginNotice})
	return nil
}

func (a *App) sign(name string, expires time.Time) string {
	payload := name + "|" + strconv.FormatInt(expires.Unix(), 10)
	return base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." +
		base64.RawURLEncoding.EncodeToString(a.signature(payload))
}

func (a *App) signature(payload string) []byte {
	mac := hmac.New(sha256.New, a.config.SessionKey)
	_, _ = mac.Write([]byte(payload)) // a hash never fails to write
	return mac.Sum(nil)
}

// session returns who is logged in, or nothing.
func (a *App) session(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	head, tail, _ := strings.Cut(cookie.Value, ".")
	payload, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return ""
	}
	mac, err := base64.RawURLEncoding.DecodeString(tail)
	if err != nil || !hmac.Equal(mac, a.signature(string(payload))) {
		return ""
	}
	name, expires, _ := strings.Cut(string(payload), "|")
	if unix, err := strconv.ParseInt(expires, 10, 64); err != nil || !a.now().Before(time.Unix(unix, 0)) {
		return ""
	}
	return name
}
