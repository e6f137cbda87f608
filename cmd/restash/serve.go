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
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// defaultRestAddr is where the local REST server listens: the port that other
// Upstash emulators use.
const defaultRestAddr = "127.0.0.1:8079"

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the local Upstash-compatible REST server on a fixed address",
		Long: "serve runs the local REST server until it is interrupted. Its data is in memory and gone\n" +
			"with the process, unless --data names a file to keep it in, or --redis a Redis or Valkey to\n" +
			"pass commands on to. Each flag can be set in the environment too, as RESTASH_ADDR,\n" +
			"RESTASH_TOKEN, RESTASH_READ_ONLY_TOKEN and so on; SRH_TOKEN, SRH_CONNECTION_STRING and\n" +
			"SRH_PORT of serverless-redis-http are understood.\n" +
			"GET /_restash/health tells whether it works, without a token; GET /_restash/bill what was\n" +
			"counted. --check asks a running one for its health and ends with that as exit status.",
		Example: "  restash serve\n  restash serve --addr :8079 --token local --data dev.redis\n" +
			"  restash serve --redis redis://127.0.0.1:6379 --plan free --latency 40ms",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.fromEnvironment(cmd); err != nil {
				return err
			}
			if o.check {
				return o.checkHealth(cmd.Context(), cmd.OutOrStdout())
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), newLogger(cmd))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.addr, "addr", defaultRestAddr, "address to listen on")
	flags.StringVar(&o.token, "token", "", "bearer token that requests must carry (default: a new random one)")
	flags.StringVar(&o.readOnlyToken, "read-only-token", "", "token that may only read (default: a new random one)")
	flags.StringVar(&o.redis, "redis", "", "redis:// URL of a Redis or Valkey that holds the data (default: memory)")
	flags.StringVar(&o.data, "data", "", "file of commands, one a line: run at the start, written at the end")
	flags.StringVar(&o.plan, "plan", "", "limits of a plan: "+strings.Join(planNames(), ", ")+" (default: sizes of payg, no quotas)")
	flags.DurationVar(&o.latency, "latency", 0, "how much later each answer comes")
	flags.Uint64Var(&o.faults, "seed-faults", 0, "disturb one request in seven, in an order that this number fixes: late, refused, reset")
	flags.BoolVar(&o.check, "check", false, "ask the server at --addr for its health, and end")
	return cmd
}

func (o *serveOptions) run(ctx context.Context, out io.Writer, logger *slog.Logger) error {
	limits, err := planLimits(o.plan)
	if err != nil {
		return err
	}
	config := upstashtest.Config{Addr: o.addr, Token: o.token, ReadOnlyToken: o.readOnlyToken, Limits: limits, Logger: logger}
	data := "memory"
	if o.redis != "" {
		engine, err := o.connect(ctx)
		if err != nil {
			return err
		}
		config.Engine, data = engine, "the Redis of --redis"
	}
	server, err := startRest(config)
	if err != nil {
		return err
	}
	if o.data != "" {
		if err := loadData(server, o.data); err != nil {
			return errors.Join(err, server.Close())
		}
		data += " and " + o.data
	}
	o.disturb(server)
	o.introduce(out, server, data)
	<-ctx.Done()
	if o.data != "" {
		err = saveData(server, o.data)
	}
	return errors.Join(err, server.Close())
}

// connect waits for a Redis that starts at the same time, if it may.
func (o *serveOptions) connect(ctx context.Context) (*redisengine.Engine, error) {
	for deadline := time.Now().Add(o.patience); ; {
		engine, err := redisengine.New(ctx, o.redis)
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return engine, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// disturb puts latency and faults in front of the server.
func (o *serveOptions) disturb(server *upstashtest.Server) {
	if o.faults != 0 {
		server.Faults(o.faults,
			upstashtest.Fault{Do: upstashtest.Delay(300 * time.Millisecond), Chance: 0.06},
			upstashtest.Fault{Do: upstashtest.Status(http.StatusServiceUnavailable, "restash serve --seed-faults"), Chance: 0.04},
			upstashtest.Fault{Do: upstashtest.ResetBefore(), Chance: 0.03},
			upstashtest.Fault{Do: upstashtest.ResetAfter(), Chance: 0.02})
	}
	if o.latency > 0 {
		server.Faults(1, upstashtest.Fault{Do: upstashtest.Delay(o.latency)})
	}
}

// introduce prints what a client needs to know.
func (o *serveOptions) introduce(out io.Writer, server *upstashtest.Server, data string) {
	fmt.Fprintf(out, "Upstash-compatible REST server on %s, data in %s\n%s=%s %s=%s\n",
		server.URL, data, urlVariable, quote(server.URL), tokenVariable, quote(server.Token))
	if host, _, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://")); err == nil && !net.ParseIP(host).IsLoopback() {
		fmt.Fprintf(out, "%s is no loopback address: restash's client needs Config.AllowHTTP: []string{%q}\n", host, host)
	}
	if o.readOnlyToken != "" {
		fmt.Fprintf(out, "read-only token: %s\n", quote(o.readOnlyToken))
	}
}

// checkHealth is for a container's health check: the image has no other
// program that could ask.
func (o *serveOptions) checkHealth(ctx context.Context, out io.Writer) error {
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return &usageError{fmt.Errorf("--addr: %w", err)}
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/_restash/health", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("nothing answers on %s: %w", o.addr, cause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server on %s is not well: %s", o.addr, body)
	}
	_, err = fmt.Fprintln(out, string(body))
	return err
}

// loadData runs the commands of a file; one that is not there is empty.
func loadData(server *upstashtest.Server, path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	defer file.Close()
	if err := server.Load(file); err != nil {
		return fmt.Errorf("--data: %s: %w", path, err)
	}
	return nil
}

// saveData replaces the file at once, so that a crash leaves the old or the
// new one.
func saveData(server *upstashtest.Server, path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	err = errors.Join(server.Save(file), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("--data: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

// startRest starts the local server; its error names the address.
func startRest(config upstashtest.Config) (*upstashtest.Server, error) {
	server, err := upstashtest.New(config)
	if _, isNet := errors.AsType[*net.OpError](err); isNet {
		return nil, fmt.Errorf("the REST server cannot listen on %s: %w", config.Addr, cause(err))
	}
	return server, err
}
