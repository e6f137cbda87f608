package upstashtest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxBody bounds what is read into memory. The service's own limit is per
// command; a pipeline of 60 MB was seen to pass.
const maxBody = 512 << 20

// billPath is where other processes read the bill.
const billPath = "/_restash/bill"

// Handler is the REST API itself, to be mounted at the root of another server.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if s.done.Err() != nil {
		http.Error(w, "the server is closed", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == healthPath {
		s.serveHealth(w, r)
		return
	}
	tok, ok := s.authenticate(r)
	if r.URL.Path == billPath {
		s.serveBill(w, ok)
		return
	}
	s.ledger.add(tok.Name, Bill{Trips: 1})
	s.intercepted(s.rest).ServeHTTP(&countingWriter{ResponseWriter: w, ledger: &s.ledger, token: tok.Name}, r)
}

func (s *Server) serveBill(w http.ResponseWriter, ok bool) {
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		s.write(w, appendErrorObject(nil, msgWrongPass))
		return
	}
	b, err := json.Marshal(s.Bill())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.write(w, b)
}

const msgWrongPass = "WRONGPASS invalid or missing auth token"

// authenticate finds the caller's token. Chosen, see FIDELITY.md: _token in
// the query wins over the header, whose scheme word may be missing.
func (s *Server) authenticate(r *http.Request) (Token, bool) {
	value := r.Header.Get("Authorization")
	if scheme, rest, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "bearer") {
		value = strings.TrimSpace(rest)
	}
	if strings.Contains(r.URL.RawQuery, "_token=") {
		if t := r.URL.Query().Get("_token"); t != "" {
			value = t
		}
	}
	if t, ok := s.tokens[value]; ok {
		return t, value != ""
	}
	if e, ok := s.engine.(aclEngine); ok && value != "" {
		name, known := e.UserOf(value)
		return Token{Name: name, user: true}, known
	}
	return Token{}, false
}

func (s *Server) serveREST(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r}
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	w.Header()["Access-Control-Allow-Credentials"] = headerTrue
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut:
	case http.MethodOptions:
		x.preflight()
		return
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var ok bool
	if x.token, ok = s.authenticate(r); !ok {
		s.log.Warn("upstashtest: 401: the token is missing or not one of this server", "method", r.Method, "path", loggable(r.URL))
		x.fail(http.StatusUnauthorized, msgWrongPass)
		return
	}
	if !x.readHeaders() || !x.readBody() {
		return
	}
	x.route()
}

func (x *exchange) preflight() {
	h := x.w.Header()
	h.Set("Access-Control-Allow-Methods", "HEAD, GET, POST, PUT")
	if asked := x.r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	x.w.WriteHeader(http.StatusOK)
}

// readHeaders reads how the answer is to be coded.
func (x *exchange) readHeaders() bool {
	switch e := x.r.Header.Get("Upstash-Encoding"); {
	case strings.EqualFold(e, "base64"):
		x.b64 = true
	case e != "":
		return x.fail(http.StatusBadRequest, "ERR unsupported Upstash-Encoding, only base64 is known")
	}
	x.atLeast = parseSyncToken(x.r.Header.Get(syncHeader))
	format := x.r.Header.Get("Upstash-Response-Format")
	if format == "" {
		format = x.r.Header.Get("Upstash-Reponse-Format") // as the documentation's example spells it
	}
	switch {
	case x.r.URL.Path == "/multi-exec": // always JSON
	case format == "" || strings.EqualFold(format, "json"):
	case !strings.EqualFold(format, "resp2"):
		return x.fail(http.StatusBadRequest, "ERR unsupported Upstash-Response-Format, only json and resp2 are known")
	case x.b64:
		return x.fail(http.StatusBadRequest, "ERR Upstash-Encoding base64 and Upstash-Response-Format resp2 exclude each other")
	default:
		x.resp2 = true
	}
	return true
}

func (x *exchange) readBody() bool {
	in := len(x.r.URL.EscapedPath())
	if in == 1 {
		in = 0
	}
	if x.r.Body != nil && (x.r.Method == http.MethodPost || x.r.Method == http.MethodPut) {
		var err error
		x.body, err = x.wholeBody()
		var tooBig *http.MaxBytesError
		switch {
		case errors.As(err, &tooBig):
			return x.fail(http.StatusRequestEntityTooLarge, tooLarge(maxBody, x.r.ContentLength))
		case err != nil:
			x.s.log.Warn("upstashtest: 400: the body cannot be read", "path", loggable(x.r.URL), "err", err)
			return x.fail(http.StatusBadRequest, "ERR failed to read the request body")
		}
	}
	x.s.ledger.add(x.token.Name, Bill{BytesIn: int64(in + len(x.body))})
	return true
}

// wholeBody reads the body. A small one whose length is known is read at once:
// that is nearly every request.
func (x *exchange) wholeBody() ([]byte, error) {
	if n := x.r.ContentLength; n >= 0 && n <= 64<<10 {
		body := make([]byte, n)
		_, err := io.ReadFull(x.r.Body, body)
		return body, err
	}
	return io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxBody))
}

// route decides by the path what is asked for.
func (x *exchange) route() {
	path := x.r.URL.EscapedPath()
	first, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	switch strings.ToLower(first) {
	case "":
		x.single(parseCommand(x.body))
	case "pipeline":
		if rest == "" {
			x.pipeline()
			return
		}
		x.unknownRoute()
	case "multi-exec":
		if rest == "" {
			x.transaction()
			return
		}
		x.unknownRoute()
	case "subscribe", "psubscribe", "monitor":
		x.stream(strings.ToLower(first), rest)
	default:
		x.single(parsePath(path, x.r.URL.RawQuery, x.body))
	}
}

func (x *exchange) unknownRoute() {
	x.s.log.Warn("upstashtest: 404: no such route", "method", x.r.Method, "path", loggable(x.r.URL))
	x.fail(http.StatusNotFound, "ERR unknown endpoint")
}
