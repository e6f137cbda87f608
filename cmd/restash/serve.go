package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// defaultRestAddr is where the local REST server listens: the port that other
// Upstash emulators use.
const defaultRestAddr = "127.0.0.1:8079"

func newServe() *cobra.Command {
	var addr, token, redis string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the local Upstash-compatible REST server on a fixed address",
		Long: "serve runs the local REST server until it is interrupted. Its data is in memory and gone\n" +
			"with the process, unless --redis names a Redis or Valkey to pass commands on to.\n" +
			"GET /_restash/bill answers what was counted, with the same token.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServe(cmd.Context(), cmd.OutOrStdout(), redis, upstashtest.Config{
				Addr: addr, Token: token, Logger: newLogger(cmd),
			})
		},
	}
	cmd.Flags().StringVar(&addr, "addr", defaultRestAddr, "address to listen on")
	cmd.Flags().StringVar(&token, "token", "", "bearer token that requests must carry (default: a new random one)")
	cmd.Flags().StringVar(&redis, "redis", "", "redis:// URL of a Redis or Valkey that holds the data (default: memory)")
	return cmd
}

func runServe(ctx context.Context, out io.Writer, redis string, config upstashtest.Config) error {
	data := "memory"
	if redis != "" {
		engine, err := redisengine.New(ctx, redis)
		if err != nil {
			return err
		}
		config.Engine, data = engine, "the Redis of --redis"
	}
	server, err := startRest(config)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Upstash-compatible REST server on %s, data in %s\n%s=%s %s=%s\n",
		server.URL, data, urlVariable, quote(server.URL), tokenVariable, quote(server.Token))
	<-ctx.Done()
	return server.Close()
}

// startRest starts the local server; its error names the address.
func startRest(config upstashtest.Config) (*upstashtest.Server, error) {
	server, err := upstashtest.New(config)
	if _, isNet := errors.AsType[*net.OpError](err); isNet {
		return nil, fmt.Errorf("the REST server cannot listen on %s: %w", config.Addr, cause(err))
	}
	return server, err
}
