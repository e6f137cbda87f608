package upstashtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// Server is a running server. Its methods may be called at once.
type Server struct {
	// URL is where it is reached: the base URL for a client. A server in
	// memory has one too, which only [Server.HTTPClient] can reach.
	URL string
	// Token and ReadOnlyToken are the credentials in use.
	Token, ReadOnlyToken string

	cfg     Config
	log     *slog.Logger
	tokens  map[string]Token
	rest    http.Handler // what interceptors stand in front of
	engine  Engine
	replica *engine.Replica // nil without ReplicaLag
	ledger  ledger
	limits  Limits
	meter   meter
	writes  atomic.Uint64 // sync tokens, where the engine does not number its writes

	mu         sync.Mutex
	intercepts []*intercept

	http   *http.Server // nil in memory
	client *http.Client
	done   context.Context // ends with the server
	stop   context.CancelFunc
	tasks  sync.WaitGroup // requests under way, and the listener
	closed func() error
}

type intercept struct {
	f func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// Close ends all requests and streams, closes the engine and waits until no
// goroutine of the server is left. Closing twice is allowed.
func (s *Server) Close() error { return s.closed() }

// HTTPClient returns a client for this server. That of a server in memory
// needs no network and works in a synctest bubble.
func (s *Server) HTTPClient() *http.Client { return s.client }

// Intercept puts f in front of the server: it sees each request of the REST
// API first, and answers it or hands it on to next. The newest sees a request
// first. remove takes it away.
func (s *Server) Intercept(f func(w http.ResponseWriter, r *http.Request, next http.Handler)) (remove func()) {
	it := &intercept{f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercepts = append(slices.Clip(s.intercepts), it)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.intercepts = slices.DeleteFunc(slices.Clone(s.intercepts), func(o *intercept) bool { return o == it })
	}
}

// intercepted returns h behind the interceptors.
func (s *Server) intercepted(h http.Handler) http.Handler {
	s.mu.Lock()
	its := s.intercepts
	s.mu.Unlock()
	for _, it := range its {
		next := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { it.f(w, r, next) })
	}
	return h
}

// FastForward moves the database's clock ahead: TTLs run down, TIME follows.
// It has no effect on an engine that keeps its own time, such as a real Redis.
func (s *Server) FastForward(d time.Duration) {
	if e, ok := s.engine.(interface{ FastForward(time.Duration) }); ok {
		e.FastForward(d)
	}
	if s.replica != nil {
		s.replica.FastForward(d)
	}
}

// Evict drops up to n keys as a full database with eviction on would: at
// random, keys with a TTL first. It returns their names, and none with an
// engine that is not in memory.
func (s *Server) Evict(n int) []string {
	if e, ok := s.engine.(interface{ Evict(int) []string }); ok {
		return e.Evict(n)
	}
	return nil
}

// Do runs a command at the engine itself, for setting up and looking in: it
// is not billed, not limited and not intercepted. An error reply is returned
// as an error too.
func (s *Server) Do(args ...string) (command.Reply, error) {
	r, err := s.engine.Do(s.done, args)
	if err != nil {
		return command.Reply{}, fmt.Errorf("upstashtest: %w", err)
	}
	if r.Reply.Kind == command.KindError {
		return r.Reply, command.ServerError(r.Reply.Bytes)
	}
	return r.Reply, nil
}

// Bill returns the bill so far. A request is on it before its answer is sent.
func (s *Server) Bill() Bill {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.total
}

// BillOf returns the bill of one token by its name: [StandardName],
// [ReadOnlyName] or one of Config.Tokens.
func (s *Server) BillOf(name string) Bill {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.by[name]
}

// ExpectBill measures from its call to that of the function it returns, which
// fails t unless so many commands and round trips were added to the bill:
//
//	defer srv.ExpectBill(t, 1, 1)()
func (s *Server) ExpectBill(t testing.TB, commands, trips int) func() {
	t.Helper()
	before := s.Bill()
	return func() {
		t.Helper()
		if got := s.Bill().Sub(before); got.Commands != int64(commands) || got.Trips != int64(trips) {
			t.Errorf("upstashtest: bill: %d commands in %d trips, want %d in %d",
				got.Commands, got.Trips, commands, trips)
		}
	}
}
