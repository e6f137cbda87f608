package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/explain"
	"github.com/cldcde/restash/internal/keyspace"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	namespace  string
	body, json bool
}

func newInspect() *cobra.Command {
	var opts inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect KEY | NAME KEY",
		Short: "Decode an entry of a cache and say whether it would be served",
		Long: "inspect takes a Redis key as restash scan prints it, or the name of a handle or preset and a\n" +
			"key as its callers name it, which it looks for with SCAN. It prints the entry's age, deadlines,\n" +
			"tags and tokens, then and now, and why it would or would not be served. Age and deadlines\n" +
			"go by this machine's clock. It costs three billed commands, and the pages of the search.",
		Example: "  restash inspect restash:e:user:v1:ada\n  restash inspect user ada --json",
		Args:    cobra.RangeArgs(1, 2),
		RunE: withClient(func(cmd *cobra.Command, c *client.Client, args []string) error {
			if err := runInspect(cmd, c, args, opts); err != nil {
				return fmt.Errorf("inspect: %w", err)
			}
			return nil
		}),
	}
	namespaceFlag(cmd.Flags(), &opts.namespace)
	cmd.Flags().BoolVar(&opts.body, "body", false, "print the value too")
	jsonFlag(cmd.Flags(), &opts.json)
	return cmd
}

func runInspect(cmd *cobra.Command, c *client.Client, args []string, opts inspectOptions) error {
	keys := args
	if len(args) == 2 {
		found, err := findEntries(cmd.Context(), c, opts.namespace, args[0], args[1])
		if err != nil {
			return err
		}
		keys = found
	}
	for _, key := range keys {
		e, err := explain.Read(cmd.Context(), c, key, time.Now())
		if err != nil {
			return err
		}
		if err := printEntry(cmd, e, opts); err != nil {
			return err
		}
	}
	return nil
}

// findEntries looks for a key under all versions of a name, variants included.
func findEntries(ctx context.Context, c *client.Client, namespace, name, key string) ([]string, error) {
	space, err := keyspace.New(namespaceOr(namespace))
	if err != nil {
		return nil, err
	}
	start := space.Entries(name)
	var keys []string
	for found, err := range c.ScanAll(ctx, command.MATCH(globEscape(start)+"*"), command.COUNT(1000)) {
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(strings.TrimPrefix(found, start), ":")
		if own, _, _ := strings.Cut(rest, "%;"); own == keyspace.Normalize(key) {
			keys = append(keys, found)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: no %s%s; is the namespace right, and the key as its caller names it? (restash scan %s)",
			explain.ErrAbsent, start+"*:", key, quote(start+"*"))
	}
	return keys, nil
}

func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

func printEntry(cmd *cobra.Command, e explain.Entry, opts inspectOptions) error {
	out, p := cmd.OutOrStdout(), newPaint(cmd)
	if opts.json {
		if opts.body {
			return printJSON(out, struct {
				explain.Entry
				Body string `json:"body"`
			}{e, e.Body})
		}
		return printJSON(out, e)
	}
	served := p.red
	if e.Served.As != "" {
		served = p.green
	}
	fmt.Fprintf(out, "%s\nwould be served: %s\n", p.bold(e.Key), served(e.Served.Words))
	if e.Readable {
		printTimes(cmd, e, p)
	}
	fmt.Fprintf(out, "size             %d bytes\n", e.Size)
	if opts.body {
		fmt.Fprintln(out, e.Body)
	}
	return nil
}

func printTimes(cmd *cobra.Command, e explain.Entry, p paint) {
	out := cmd.OutOrStdout()
	line := func(name string, at time.Time) {
		if !at.IsZero() {
			fmt.Fprintf(out, "%-15s  %s  %s\n", name, at.Local().Format(time.DateTime), p.dim(relative(at)))
		}
	}
	line("stored", e.StoredAt)
	line("fresh until", e.FreshTo)
	line("stale until", e.StaleTo)
	line("on error until", e.ErrorTo)
	line("gone at", e.GoneAt)
	fmt.Fprintf(out, "load took        %s\n", explain.Span(time.Duration(e.LoadMs)*time.Millisecond))
	if e.Negative {
		fmt.Fprintln(out, "value            it is remembered that there is none")
	}
	fmt.Fprintf(out, "tags             %s\n", strings.Join(e.Tags, ", "))
	for _, t := range e.Tokens {
		state := "same"
		if !t.Valid {
			state = p.red("changed")
		}
		fmt.Fprintf(out, "token            %-24s  then %s  now %s  %s\n", t.Of, orNone(t.Then), orNone(t.Now), state)
	}
}

func relative(at time.Time) string {
	if left := time.Until(at); left > 0 {
		return "in " + explain.Span(left)
	}
	return explain.Span(time.Since(at)) + " ago"
}

func orNone(token string) string {
	if token == "" {
		return "none"
	}
	return token
}
