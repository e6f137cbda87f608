package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

// Cloud Run gives ten seconds between SIGTERM and SIGKILL. They are spent so:
const (
	lameDuck     = time.Second     // still answering, asking clients to connect anew elsewhere
	drainTimeout = 6 * time.Second // requests under way finish
	flushTimeout = 2 * time.Second // pending invalidations and refreshes are sent
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	app, err := catalog.FromEnv("pgx", storeConfig(os.Getenv("CLOUD_RUN_BILLING")))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", port()))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	slog.Info("listening", "address", listener.Addr().String())
	return errors.Join(serve(ctx, listener, app), flush(app))
}

// storeConfig tells the Store whether goroutines go on after the answer. A
// container cannot see how it is billed, so it must be told.
func storeConfig(billing string) strategies.StoreConfig {
	if billing == "instance" { // CPU is always there
		return strategies.StoreConfig{Executor: strategies.Pool(16)}
	}
	return strategies.StoreConfig{} // K_SERVICE is set: refreshes happen within requests
}

func port() string {
	if p := os.Getenv("PORT"); p != "" {
		return p
	}
	return "8080"
}

// serve answers until ctx ends, then lets every request that was accepted finish.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	var leaving atomic.Bool
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if leaving.Load() {
				w.Header().Set("Connection", "close")
			}
			h.ServeHTTP(w, r)
		}),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }() // ends with Shutdown
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// A connection must not be closed while a client is writing to it. So for a
	// moment each answer carries the request to close, and only then the rest,
	// which is idle, is closed.
	leaving.Store(true)
	time.Sleep(lameDuck)
	drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// flush sends what is pending and closes the clients.
func flush(app *catalog.App) error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := app.Close(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}
