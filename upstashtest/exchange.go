package upstashtest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/cldcde/restash/client/command"
)

func (s *Server) write(w http.ResponseWriter, b []byte) {
	if _, err := w.Write(b); err != nil {
		s.log.Debug("upstashtest: the caller went away", "err", err)
	}
}

// countingWriter puts the bytes of an answer on the bill before they leave.
type countingWriter struct {
	http.ResponseWriter
	ledger *ledger
	token  string
}

func (c *countingWriter) Write(b []byte) (int, error) {
	c.ledger.add(c.token, Bill{BytesOut: int64(len(b))})
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// aclEngine is what an engine offers that keeps users of its own.
type aclEngine interface {
	// UserOf returns the user of a token that ACL RESTTOKEN gave out.
	UserOf(token string) (name string, ok bool)
	// Permit is an error reply if the user may not run the command.
	Permit(user string, args []string) command.Reply
}

// exchange is one request of the REST API and its answer.
type exchange struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	token Token
	body  []byte
	b64   bool
	resp2 bool

	atLeast uint64 // the write that the caller's sync token names
	seen    uint64 // how far the replica was that answered
	wrote   bool
}

// fail answers a request that does not reach the engine. It returns false.
func (x *exchange) fail(status int, text string) bool {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	x.s.write(x.w, appendErrorObject(nil, text))
	return false
}

// loggable is what may be logged of a URL: its first segment, never the query
// or an argument.
func loggable(u *url.URL) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if len(first) > 40 {
		first = first[:40] + "..."
	}
	if rest != "" {
		first += "/..."
	}
	return "/" + first
}

// dead answers when the engine is out of order, and says why.
func (x *exchange) dead(err error) {
	if errors.Is(err, x.r.Context().Err()) {
		return // the caller went away
	}
	x.s.log.Error("upstashtest: 500: the engine is out of order", "err", err)
	x.fail(http.StatusInternalServerError, "ERR the engine is out of order: "+err.Error())
}
