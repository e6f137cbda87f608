package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/explain"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	match, kind string
	limit       int
	bare, json  bool
}

func newScan() *cobra.Command {
	var opts scanOptions
	cmd := &cobra.Command{
		Use:   "scan [PATTERN]",
		Short: "List keys with their type and TTL",
		Long: "scan walks through the keys that match PATTERN (*, ?, [a-z]), all without one, and prints\n" +
			"type, TTL and name of each. A page of the walk is one billed command, and type and TTL are\n" +
			"one each for every key, unless --bare leaves them out. The cost is the last line, on stderr.",
		Example: "  restash scan\n  restash scan 'user:*' --limit 10\n  restash scan --bare --type string --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: withClient(func(cmd *cobra.Command, c *client.Client, args []string) error {
			if len(args) > 0 {
				opts.match = args[0]
			}
			if err := runScan(cmd, c, opts); err != nil {
				return fmt.Errorf("scan: %w", err)
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&opts.kind, "type", "", "only keys of this type: string, hash, list, set, zset, stream")
	cmd.Flags().IntVar(&opts.limit, "limit", 0, "end after so many keys (default: all)")
	cmd.Flags().BoolVar(&opts.bare, "bare", false, "names only: costs one command a page")
	jsonFlag(cmd.Flags(), &opts.json)
	return cmd
}

// scanned is a key that was found.
type scanned struct {
	Key   string `json:"key"`
	Type  string `json:"type,omitempty"`
	TTLMs *int64 `json:"ttlMs,omitempty"` // null without an end
}

func runScan(cmd *cobra.Command, c *client.Client, opts scanOptions) error {
	found, cursor := 0, "0"
	for {
		page, err := c.Scan(cmd.Context(), cursor, opts.filters()...)
		if err != nil {
			return err
		}
		keys := page.Items
		if opts.limit > 0 {
			keys = keys[:min(len(keys), opts.limit-found)]
		}
		if err := describeKeys(cmd, c, keys, opts); err != nil {
			return err
		}
		found, cursor = found+len(keys), page.Cursor
		if page.Last() || opts.limit > 0 && found >= opts.limit {
			break
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d keys, %d commands\n", found, c.Stats().Commands)
	return nil
}

func (o scanOptions) filters() []command.KeyScanOption {
	filters := []command.KeyScanOption{command.COUNT(250)}
	if o.match != "" {
		filters = append(filters, command.MATCH(o.match))
	}
	if o.kind != "" {
		filters = append(filters, command.TYPE(o.kind))
	}
	return filters
}

// describeKeys prints a page; types and TTLs take one round trip.
func describeKeys(cmd *cobra.Command, c *client.Client, keys []string, opts scanOptions) error {
	rows := make([]scanned, len(keys))
	for i, key := range keys {
		rows[i].Key = key
	}
	if !opts.bare {
		if err := askTypes(cmd.Context(), c, rows); err != nil {
			return err
		}
	}
	for _, row := range rows {
		if err := row.print(cmd, opts); err != nil {
			return err
		}
	}
	return nil
}

func askTypes(ctx context.Context, c *client.Client, rows []scanned) error {
	if len(rows) == 0 {
		return nil
	}
	var cmds []command.Cmd
	for _, row := range rows {
		cmds = append(cmds, command.Type(row.Key), command.PTTL(row.Key))
	}
	replies, err := c.Batch(ctx, cmds...)
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		if row.Type, err = client.DecodeReply(command.Type(row.Key), replies[2*i]); err != nil {
			return err
		}
		ttl, err := client.DecodeReply(command.PTTL(row.Key), replies[2*i+1])
		if err == nil && ttl >= 0 {
			ms := ttl.Milliseconds()
			row.TTLMs = &ms
		}
	}
	return nil
}

func (s scanned) print(cmd *cobra.Command, opts scanOptions) error {
	out := cmd.OutOrStdout()
	switch {
	case opts.json:
		return printJSON(out, s)
	case opts.bare:
		_, err := fmt.Fprintln(out, s.Key)
		return err
	}
	ttl := "no TTL"
	if s.TTLMs != nil {
		ttl = explain.Span(time.Duration(*s.TTLMs) * time.Millisecond)
	}
	_, err := fmt.Fprintf(out, "%-10s  %-8s  %s\n", s.Type, ttl, s.Key)
	return err
}
