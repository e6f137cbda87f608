package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

// drainTimeout is how long requests under way may take once the process was told
// to end. Vercel does not tell it; a terminal does.
const drainTimeout = 5 * time.Second

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, net.JoinHostPort("", port())); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// port is where Vercel's proxy looks for this process.
func port() string {
	if p := os.Getenv("PORT"); p != "" {
		return p
	}
	return "3000"
}

// run answers until ctx ends. The first request makes the routes: a failure is
// answered with 503 and tried again by the next one, where a process that ends
// would be started again and again. The platform sets VERCEL, so that a Store
// finishes its work before the answer: afterwards the instance may freeze.
func run(ctx context.Context, address string) error {
	server := &http.Server{
		Addr:              address,
		ReadHeaderTimeout: 10 * time.Second,
		Handler: catalog.Lazy(func() (*catalog.App, error) {
			return catalog.FromEnv("pgx", strategies.StoreConfig{})
		}),
	}
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }() // ends with Shutdown
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := server.Shutdown(drain)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
