package upstashtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// New starts a server. An error names the field of Config, or the address
// that cannot be listened on.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger, limits: cfg.Limits.withDefaults(), Token: cfg.Token, ReadOnlyToken: cfg.ReadOnlyToken, engine: cfg.Engine, tokens: map[string]Token{}}
	s.rest = http.HandlerFunc(s.serveREST)
	for _, t := range cfg.tokens() {
		s.tokens[t.Value] = t
	}
	if err := s.openEngine(); err != nil {
		return nil, err
	}
	s.done, s.stop = context.WithCancel(context.Background())
	s.closed = sync.OnceValue(s.shutDown)
	if err := s.start(); err != nil {
		s.stop()
		return nil, closeAfter(err, s.engine)
	}
	return s, nil
}

// openEngine makes the database in memory if no other was given.
func (s *Server) openEngine() error {
	if s.engine != nil {
		return nil
	}
	e, err := engine.New(engine.Config{Seed: s.cfg.Seed})
	if err != nil {
		return err
	}
	s.engine = embedded{e}
	if s.cfg.ReplicaLag > 0 {
		s.replica, err = engine.NewReplica(e, s.cfg.ReplicaLag)
	}
	return err
}

func closeAfter(err error, e Engine) error {
	if closeErr := e.Close(); closeErr != nil {
		return fmt.Errorf("%w (and closing the engine: %w)", err, closeErr)
	}
	return err
}

func (s *Server) start() error {
	if s.cfg.InMemory {
		s.URL = "http://127.0.0.1"
		s.client = &http.Client{Transport: &memoryTransport{s: s}, CheckRedirect: noRedirect}
		return nil
	}
	l, err := net.Listen("tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("upstashtest: listen on %s: %w", s.cfg.Addr, err)
	}
	s.URL = "http://" + reachable(l.Addr())
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, CheckRedirect: noRedirect}
	s.http = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	s.tasks.Go(func() {
		if err := s.http.Serve(l); err != nil && s.done.Err() == nil {
			s.log.Error("upstashtest: the listener ended", "addr", l.Addr().String(), "err", err)
		}
	})
	return nil
}

// reachable is how a client on this machine reaches an address: one that
// listens everywhere is reached on the loopback interface.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Run starts a server for a test, in the way of opts, and closes it when the
// test ends. What goes wrong at the server is in the test's log.
func Run(t testing.TB, opts ...func(*Config)) *Server {
	t.Helper()
	cfg := Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, opt := range opts {
		opt(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := s.panics(); n > 0 {
			t.Errorf("upstashtest: %d internal errors: a fault of this server, please report what was sent", n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// panics is how many panics the engine in memory has recovered.
func (s *Server) panics() int {
	if e, ok := s.engine.(interface{ Panics() int }); ok {
		return e.Panics()
	}
	return 0
}

func (s *Server) shutDown() error {
	s.stop()
	var err error
	if s.http != nil {
		err = s.http.Close()
	}
	if engineErr := s.engine.Close(); err == nil {
		err = engineErr
	}
	if s.replica != nil {
		if replicaErr := s.replica.Close(); err == nil {
			err = replicaErr
		}
	}
	s.client.CloseIdleConnections()
	s.tasks.Wait()
	return err
}
