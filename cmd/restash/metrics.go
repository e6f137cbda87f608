package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/strategies"
)

// metricsOptions are the flags of metrics.
type metricsOptions struct {
	url, namespace     string
	watch, fleet, json bool
	every              time.Duration
}

const defaultMetricsURL = "http://127.0.0.1:3000/api/cache/metrics"

func newMetrics() *cobra.Command {
	var opts metricsOptions
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Print the cache metrics of a running application, or of all its instances",
		Long: "metrics asks the metrics endpoint of a running application, by default that of restash dev.\n" +
			"With --fleet it reads the counters that all instances of a namespace add to in Redis (those\n" +
			"with StoreConfig.FleetMetrics), which costs one command.",
		Example: "  restash metrics\n  restash metrics --watch --every 1s\n  restash metrics --fleet --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			read := func(ctx context.Context) (map[string]any, error) { return askMetrics(ctx, opts.url) }
			if opts.fleet {
				store, closeAll, err := openFleet(opts.namespace)
				if err != nil {
					return err
				}
				defer closeAll()
				read = func(ctx context.Context) (map[string]any, error) { return fleetMetrics(ctx, store) }
			}
			return runMetrics(cmd, opts, read)
		},
	}
	cmd.Flags().StringVar(&opts.url, "url", defaultMetricsURL, "address of the metrics endpoint")
	cmd.Flags().BoolVar(&opts.watch, "watch", false, "print again and again until interrupted")
	cmd.Flags().DurationVar(&opts.every, "every", 2*time.Second, "how often --watch prints")
	cmd.Flags().BoolVar(&opts.fleet, "fleet", false, "read the counters of all instances from Redis")
	namespaceFlag(cmd.Flags(), &opts.namespace)
	jsonFlag(cmd.Flags(), &opts.json)
	return cmd
}

func runMetrics(cmd *cobra.Command, opts metricsOptions, read func(context.Context) (map[string]any, error)) error {
	ctx := cmd.Context()
	for {
		m, err := read(ctx)
		switch {
		case ctx.Err() != nil && opts.watch:
			return nil
		case err != nil && !opts.watch:
			return fmt.Errorf("metrics: %w", err)
		case err != nil: // the application may be starting again
			fmt.Fprintln(cmd.ErrOrStderr(), "restash: metrics:", oneLine(err))
		case opts.json:
			err = printJSON(cmd.OutOrStdout(), m)
		default:
			printMetrics(cmd, m)
		}
		if !opts.watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(opts.every, 100*time.Millisecond)):
		}
	}
}

// askMetrics reads the endpoint's JSON as it is: applications may add fields.
func askMetrics(ctx context.Context, url string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &usageError{errors.New("metrics: --url is no address such as " + defaultMetricsURL)}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w; is the application running there? --url names another endpoint", err)
	}
	defer resp.Body.Close()
	var m map[string]any
	err = json.NewDecoder(io.LimitReader(resp.Body, maxReport)).Decode(&m)
	if _, ours := m["metrics"].(map[string]any); err != nil || !ours || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s without metrics; --url must be the address of ops.Metrics", url, resp.Status)
	}
	return m, nil
}

// printMetrics prints one line a number, and one each for what is nested.
func printMetrics(cmd *cobra.Command, m map[string]any) {
	out, p := cmd.OutOrStdout(), newPaint(cmd)
	if p.on {
		fmt.Fprint(out, "\x1b[H\x1b[2J") // on a terminal the numbers stay in place
	}
	for _, group := range slices.Sorted(maps.Keys(m)) {
		values, nested := m[group].(map[string]any)
		if !nested {
			fmt.Fprintf(out, "%s  %v\n", p.bold(group), m[group])
			continue
		}
		fmt.Fprintln(out, p.bold(group))
		for _, name := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(out, "  %-22s %s\n", name, short(values[name]))
		}
	}
}

// short writes a value on one line.
func short(v any) string {
	inner, nested := v.(map[string]any)
	if !nested {
		if n, ok := v.(float64); ok && n == float64(int64(n)) {
			return fmt.Sprint(int64(n))
		}
		return fmt.Sprint(v)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		parts = append(parts, name+" "+short(inner[name]))
	}
	return strings.Join(parts, ", ")
}

func openFleet(namespace string) (*strategies.Store, func(), error) {
	c, err := openClient()
	if err != nil {
		return nil, nil, err
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{
		Namespace: namespace, FleetMetrics: true, Budget: callTime, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	return store, func() { _, _ = store.Close(context.Background()), c.Close() }, nil
}

// fleetMetrics has the shape of the endpoint.
func fleetMetrics(ctx context.Context, store *strategies.Store) (map[string]any, error) {
	f, err := store.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"scope": "all instances of namespace " + store.Namespace(),
		"metrics": map[string]any{
			"hits": float64(f.Hits), "misses": float64(f.Misses), "errors": float64(f.Errors), "totalRequests": float64(f.Hits + f.Misses),
			"hitRate": float64(int(f.HitRate()*100)) / 100, "avgLatency": milliseconds(f.AvgLatency),
			"stale": float64(f.Stale), "bypass": float64(f.Bypass), "commands": float64(f.Commands), "trips": float64(f.Trips),
		},
	}, nil
}
