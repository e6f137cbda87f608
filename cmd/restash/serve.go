package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/upstashtest"
)

// defaultRestAddr is where the local REST server listens: the port that other
// Upstash emulators use.
const defaultRestAddr = "127.0.0.1:8079"

func newServe() *cobra.Command {
	var addr, token string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the local Upstash-compatible REST server on a fixed address",
		Long: "serve runs the local REST server in memory until it is interrupted. Its data is gone\n" +
			"with the process. GET /_restash/bill answers what was counted, with the same token.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := startRest(addr, token, newLogger(cmd))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Upstash-compatible REST server in memory on %s\n%s=%s %s=%s\n",
				server.URL, urlVariable, quote(server.URL), tokenVariable, quote(server.Token))
			<-cmd.Context().Done()
			return server.Close()
		},
	}
	cmd.Flags().StringVar(&addr, "addr", defaultRestAddr, "address to listen on")
	cmd.Flags().StringVar(&token, "token", "", "bearer token that requests must carry (default: a new random one)")
	return cmd
}

// startRest starts the local server; its error names the address.
func startRest(addr, token string, logger *slog.Logger) (*upstashtest.Server, error) {
	server, err := upstashtest.New(upstashtest.Config{Addr: addr, Token: token, Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("the REST server cannot listen on %s: %w", addr, cause(err))
	}
	return server, nil
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
