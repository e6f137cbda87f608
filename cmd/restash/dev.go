package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/cmd/restash/internal/page"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// shutdownTime is how long requests under way may take after a signal.
const shutdownTime = 10 * time.Second

// defaultDevAddr is where the sample's routes are, unless a flag says otherwise.
const defaultDevAddr = "127.0.0.1:3000"

// devOptions are the flags of dev.
type devOptions struct {
	addr, restAddr string
	noCache        bool
	breakerOpen    time.Duration
}

func newDev() *cobra.Command {
	var opts devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the sample catalogue with a local Redis and a local database",
		Long: "dev runs the sample's routes, a local REST server in memory and a SQLite database in a\n" +
			"temporary folder, until it is interrupted. If UPSTASH_REDIS_REST_URL or DATABASE_URL is\n" +
			"set, it uses that one instead.",
		Example: "  restash dev\n  restash dev --no-cache\n  restash dev --addr 127.0.0.1:8000 --breaker-open 10s",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDev(cmd.Context(), cmd.OutOrStdout(), newLogger(cmd), opts)
		},
	}
	cmd.Flags().StringVar(&opts.addr, "addr", defaultDevAddr, "address of the sample's routes")
	cmd.Flags().StringVar(&opts.restAddr, "rest-addr", defaultRestAddr, "address of the local REST server")
	cmd.Flags().BoolVar(&opts.noCache, "no-cache", false, "answer every request from the database")
	cmd.Flags().DurationVar(&opts.breakerOpen, "breaker-open", breaker.DefaultOpen, "how long the breaker stays open")
	return cmd
}

// sample is everything that dev runs. Its parts are closed in reverse order.
type sample struct {
	listener  net.Listener
	app       *catalog.App
	server    *upstashtest.Server // nil if Redis is the environment's
	page      http.Handler        // the page, and app for all else
	cached    bool                // false with --no-cache
	redis     string              // what holds the cache, for people
	database  string              // what holds the data, for people
	variables []string            // NAME=value for a second process
	closers
}

func runDev(ctx context.Context, out io.Writer, logger *slog.Logger, opts devOptions) (err error) {
	var s sample
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx, logger, opts); err != nil {
		return err
	}
	server := &http.Server{
		Handler: s.page, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		// Above the default, so that a query of a megabyte gets the sample's own
		// answer in JSON and not net/http's.
		MaxHeaderBytes: 2 << 20,
		ErrorLog:       slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(s.listener) }()
	if err := s.introduce(ctx, out); err != nil && ctx.Err() == nil {
		return errors.Join(err, server.Close())
	}
	err = waitForEnd(ctx, failed)
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limit))
}

func (s *sample) open(ctx context.Context, logger *slog.Logger, opts devOptions) error {
	if opts.breakerOpen <= 0 {
		return &usageError{fmt.Errorf("--breaker-open is %s, want more than 0", opts.breakerOpen)}
	}
	var err error
	if s.listener, err = net.Listen("tcp", opts.addr); err != nil {
		return fmt.Errorf("dev cannot listen on --addr %s: %w", opts.addr, cause(err))
	}
	// http.Server closes it too; a second Close only says so.
	s.add(func() error { _ = s.listener.Close(); return nil })
	c, err := s.openRedis(logger, opts)
	if err != nil {
		return err
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: logger, Breaker: breaker.Config{Open: opts.breakerOpen}})
	if err != nil {
		return err
	}
	s.add(func() error { return store.Close(context.WithoutCancel(ctx)) })
	config, err := s.openCatalogue(ctx, store, logger)
	if err != nil {
		return err
	}
	return s.openPage(config, opts.breakerOpen)
}

// openRedis returns the client of the environment's Redis or of a local one,
// nil with --no-cache.
func (s *sample) openRedis(logger *slog.Logger, opts devOptions) (*client.Client, error) {
	if opts.noCache {
		s.redis = "none (--no-cache)"
		return nil, nil
	}
	s.cached = true
	if redisIsNamed() {
		c, err := client.FromEnv()
		if err != nil {
			return nil, err
		}
		s.redis = "from the environment"
		s.add(c.Close)
		return c, nil
	}
	server, err := startRest(upstashtest.Config{Addr: opts.restAddr, Logger: logger})
	if err != nil {
		return nil, err
	}
	s.add(server.Close)
	s.server = server
	s.redis = server.URL + " (local, in memory)"
	s.variables = append(s.variables, urlVariable+"="+quote(server.URL), tokenVariable+"="+quote(server.Token))
	c, err := client.New(client.Config{URL: server.URL, Token: server.Token})
	if err != nil {
		return nil, err
	}
	s.add(c.Close)
	return c, nil
}

// openCatalogue opens the environment's database or a temporary one, and fills
// it if it is empty.
func (s *sample) openCatalogue(ctx context.Context, store *strategies.Store, logger *slog.Logger) (catalog.Config, error) {
	address := os.Getenv(databaseVariable)
	s.database = "from " + databaseVariable
	if address == "" {
		temporary, remove, err := temporaryDatabase()
		if err != nil {
			return catalog.Config{}, err
		}
		s.add(remove)
		address, s.database = temporary, temporary
		s.variables = append(s.variables, databaseVariable+"="+quote(address))
	}
	db, dialect, err := openDatabase(ctx, address)
	if err != nil {
		return catalog.Config{}, err
	}
	s.add(db.Close)
	database, err := catalog.NewDatabase(db, dialect)
	if err != nil {
		return catalog.Config{}, err
	}
	if err := database.Migrate(ctx); err != nil {
		return catalog.Config{}, err
	}
	if _, err := database.Seed(ctx); err != nil {
		return catalog.Config{}, err
	}
	config := catalog.ConfigFromEnv(database, store)
	config.Logger = logger
	config.AllowWrites = onLoopback(s.listener.Addr())
	s.app, err = catalog.New(config)
	return config, err
}

// openPage puts the page in front of the sample, beside the same sample without
// a cache.
func (s *sample) openPage(config catalog.Config, breakerOpen time.Duration) error {
	cached := config.Store
	var err error
	if config.Store, err = strategies.NewStore(nil, strategies.StoreConfig{Logger: config.Logger}); err != nil {
		return err
	}
	plain, err := catalog.New(config)
	if err != nil {
		return err
	}
	s.page, err = page.New(page.Config{
		App: s.app, Plain: plain, Store: cached, Redis: s.server, Controls: config.AllowWrites, BreakerOpen: breakerOpen,
	})
	return err
}

// onLoopback goes by the address that is listened on: what a request says of
// itself, or a proxy of it, proves nothing.
func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// waitForEnd returns when ctx ends or the server fails.
func waitForEnd(ctx context.Context, failed <-chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
