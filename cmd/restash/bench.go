package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	requests, concurrency, size int
	json                        bool
}

func newBench() *cobra.Command {
	var opts benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure latency and throughput of the database",
		Long: "bench sends requests of several kinds, some at a time, and prints how long they took, how\n" +
			"many there were in a second, and how many billed commands it sent. Its keys have a random\n" +
			"prefix, live a minute at most, and are removed at the end.",
		Example: "  restash bench --requests 100\n  restash bench --requests 200 --concurrency 16 --size 1024 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.requests < 1 || opts.concurrency < 1 || opts.size < 0 {
				return misused(cmd, "bench: --requests and --concurrency must be at least 1, --size at least 0")
			}
			c, err := openClient(func(config *client.Config) { config.MaxRetries = client.NoRetry })
			if err != nil {
				return err
			}
			defer c.Close()
			return runBench(cmd, c, opts)
		},
	}
	cmd.Flags().IntVarP(&opts.requests, "requests", "n", 500, "requests of each kind")
	cmd.Flags().IntVarP(&opts.concurrency, "concurrency", "c", 8, "requests at a time")
	cmd.Flags().IntVar(&opts.size, "size", 256, "bytes of a value")
	jsonFlag(cmd.Flags(), &opts.json)
	return cmd
}

// work is one kind of request.
type work struct {
	name     string
	commands int64 // billed, of one request
	do       func(ctx context.Context, n int) error
}

// benchKeys is how many keys the values are spread over.
const benchKeys = 16

func benchWork(c *client.Client, prefix string, size int) []work {
	value := strings.Repeat("x", size)
	key := func(n int) string { return fmt.Sprint(prefix, n%benchKeys) }
	var ten []string
	for i := range 10 {
		ten = append(ten, key(i))
	}
	return []work{
		{"PING", 0, func(ctx context.Context, _ int) error { _, err := c.Ping(ctx); return err }},
		{"SET", 1, func(ctx context.Context, n int) error {
			_, err := c.Set(ctx, key(n), value, command.EX(time.Minute))
			return err
		}},
		{"GET", 1, func(ctx context.Context, n int) error {
			_, err := c.Get(ctx, key(n))
			if errors.Is(err, client.ErrNil) {
				err = nil
			}
			return err
		}},
		{"MGET of 10", 1, func(ctx context.Context, _ int) error { _, err := c.MGet(ctx, ten...); return err }},
		{"pipeline of 10 GET", 10, func(ctx context.Context, _ int) error {
			var cmds []command.Cmd
			for _, k := range ten {
				cmds = append(cmds, command.Get(k))
			}
			_, err := c.Batch(ctx, cmds...)
			return err
		}},
	}
}

// measured is what one kind of request took.
type measured struct {
	Name      string  `json:"name"`
	Requests  int     `json:"requests"`
	Failed    int64   `json:"failed"`
	P50Ms     float64 `json:"p50Ms"`
	P99Ms     float64 `json:"p99Ms"`
	PerSecond float64 `json:"perSecond"`
	Commands  int64   `json:"billedCommands"`
}

func runBench(cmd *cobra.Command, c *client.Client, opts benchOptions) error {
	prefix := "restash-bench-" + rand.Text() + ":"
	defer removeBenchKeys(cmd.Context(), c, prefix)
	out := cmd.OutOrStdout()
	if !opts.json {
		fmt.Fprintf(out, "%-20s %9s %9s %9s %11s %8s %7s\n", "REQUEST", "COUNT", "P50 MS", "P99 MS", "PER SECOND", "BILLED", "FAILED")
	}
	var failed, billed int64
	for _, w := range benchWork(c, prefix, opts.size) {
		m, err := measure(cmd.Context(), w, opts)
		if err != nil {
			return fmt.Errorf("bench: %s: %w", w.name, err)
		}
		failed, billed = failed+m.Failed, billed+m.Commands
		if opts.json {
			if err := printJSON(out, m); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(out, "%-20s %9d %9.2f %9.2f %11.0f %8d %7d\n", m.Name, m.Requests, m.P50Ms, m.P99Ms, m.PerSecond, m.Commands, m.Failed)
	}
	if !opts.json {
		fmt.Fprintf(out, "billed: %d commands, and 1 to remove the keys\n", billed)
	}
	if failed > 0 {
		return fmt.Errorf("bench: %d requests failed", failed)
	}
	return nil
}

// measure lets workers take turns until all requests are made. It fails if none
// succeeded: then there is nothing to measure.
func measure(ctx context.Context, w work, opts benchOptions) (measured, error) {
	times := make([]time.Duration, opts.requests)
	var next, failed atomic.Int64
	var last atomic.Value
	var workers sync.WaitGroup
	begin := time.Now()
	for range opts.concurrency {
		workers.Go(func() {
			for n := int(next.Add(1)) - 1; n < opts.requests && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				start := time.Now()
				if err := w.do(ctx, n); err != nil {
					failed.Add(1)
					last.Store(err.Error())
				}
				times[n] = time.Since(start)
			}
		})
	}
	workers.Wait()
	took := time.Since(begin)
	if err := ctx.Err(); err != nil {
		return measured{}, err
	}
	if failed.Load() == int64(opts.requests) {
		return measured{}, fmt.Errorf("every request failed: %v", last.Load())
	}
	slices.Sort(times)
	return measured{
		Name: w.name, Requests: opts.requests, Failed: failed.Load(), Commands: w.commands * int64(opts.requests),
		P50Ms: milliseconds(times[len(times)/2]), P99Ms: milliseconds(times[len(times)*99/100]),
		PerSecond: float64(opts.requests) / took.Seconds(),
	}, nil
}

func removeBenchKeys(ctx context.Context, c *client.Client, prefix string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	var keys []string
	for i := range benchKeys {
		keys = append(keys, fmt.Sprint(prefix, i))
	}
	_, _ = c.Unlink(ctx, keys...) // they end by themselves in a minute
}
