package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// handle is a class of values by its name.
type handle string

func (h handle) Name() string { return string(h) }

// invalidateOptions are the flags of all that invalidates.
type invalidateOptions struct {
	namespace       string
	soft, dry, json bool
	budget          int
}

func newInvalidate() *cobra.Command {
	var opts invalidateOptions
	cmd := &cobra.Command{
		Use:   "invalidate",
		Short: "Make cached values invalid: by tag, key, prefix or pattern, or all",
		Long: "invalidate makes cached values invalid in the namespace, also those that are being loaded right\n" +
			"now. A tag, key or prefix, and all, cost one billed command each, however many entries they hit.\n" +
			"NAME is that of a handle (strategies.Config.Name) or preset (handler.Config.Prefix).",
	}
	flags := cmd.PersistentFlags()
	namespaceFlag(flags, &opts.namespace)
	flags.BoolVar(&opts.soft, "soft", false, "let entries be served as stale while they are refreshed (for Stores with StoreConfig.Soft)")
	flags.BoolVar(&opts.dry, "dry-run", false, "print what it would do and cost, and do nothing")
	flags.IntVar(&opts.budget, "budget", invalidate.DefaultBudget, "most billed commands that a pattern may cost")
	jsonFlag(flags, &opts.json)
	for _, kind := range []struct {
		use, short, example string
		args                int
		target              func(args []string) invalidate.Target
	}{
		{"tag TAG...", "All entries with a tag", "  restash invalidate tag team:7", 1,
			func(args []string) invalidate.Target { return invalidate.Tags(args...) }},
		{"key NAME KEY...", "Single keys of a handle", "  restash invalidate key user ada", 2,
			func(args []string) invalidate.Target { return invalidate.Key(handle(args[0]), args[1:]...) }},
		{"prefix NAME [SEGMENT...]", "All keys of a handle that begin with the segments", "  restash invalidate prefix extension-detail some-id", 1,
			func(args []string) invalidate.Target { return invalidate.Prefix(handle(args[0]), args[1:]...) }},
		{"pattern NAME GLOB", "Entries whose keys match a glob: scans the database, best effort", "  restash invalidate pattern user 'a*' --dry-run", 2,
			func(args []string) invalidate.Target { return globs(args[0], args[1], opts.budget) }},
		{"all", "Everything in the namespace", "  restash invalidate all --dry-run", 0,
			func([]string) invalidate.Target { return invalidate.All() }},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: kind.use, Short: kind.short, Example: kind.example, Args: argumentsFor(kind.use, kind.args),
			RunE: withClient(func(cmd *cobra.Command, c *client.Client, args []string) error {
				return runInvalidate(cmd, c, opts, kind.target(args))
			}),
		})
	}
	return cmd
}

// argumentsFor wants at least n arguments, and no more if none may be repeated.
func argumentsFor(use string, n int) cobra.PositionalArgs {
	if strings.Contains(use, "...") {
		return cobra.MinimumNArgs(n)
	}
	return cobra.ExactArgs(n)
}

func globs(name, glob string, budget int) invalidate.Target {
	var parts []any
	for part := range strings.SplitSeq(glob, ":") {
		parts = append(parts, invalidate.Glob(part))
	}
	return invalidate.Budget(invalidate.Pattern(handle(name), parts...), budget)
}

func runInvalidate(cmd *cobra.Command, c *client.Client, opts invalidateOptions, target invalidate.Target) error {
	if opts.soft {
		target = invalidate.Soft(target)
	}
	if opts.dry {
		target = invalidate.DryRun(target)
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{
		Namespace: opts.namespace, Soft: opts.soft, Budget: callTime, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer store.Close(context.WithoutCancel(cmd.Context()))
	if !opts.dry || !plain(target) {
		report, err := store.Invalidate(cmd.Context(), target)
		return tellInvalidated(cmd, store.Namespace(), opts, target, report, err)
	}
	plan, err := invalidate.Resolve(store.Namespace(), target)
	if err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	return tellInvalidated(cmd, store.Namespace(), opts, target, invalidate.Report{Commands: len(plan.Tokens), Trips: 1}, nil)
}

// plain reports whether a target has no pattern: its cost is known beforehand,
// and a dry run asks nobody.
func plain(t invalidate.Target) bool { return !strings.Contains(t.String(), "pattern") }

// invalidated is the report for programs.
type invalidated struct {
	Namespace string   `json:"namespace"`
	Targets   string   `json:"targets"`
	DryRun    bool     `json:"dryRun"`
	Commands  int      `json:"commands"`
	Trips     int      `json:"trips"`
	Pending   int      `json:"pending"`
	Keys      int      `json:"keys"`
	Matched   []string `json:"matched,omitempty"`
}

func tellInvalidated(cmd *cobra.Command, namespace string, opts invalidateOptions, t invalidate.Target, r invalidate.Report, err error) error {
	if err != nil && !errors.Is(err, invalidate.ErrBudget) {
		return fmt.Errorf("invalidate: %s in namespace %s: %w", t, namespace, err)
	}
	out := cmd.OutOrStdout()
	if opts.json {
		if failure := printJSON(out, invalidated{namespace, t.String(), opts.dry, r.Commands, r.Trips, r.Pending, r.Keys, r.Matched}); failure != nil {
			return failure
		}
		return err
	}
	done := "invalidated"
	if opts.dry {
		done = "would invalidate"
	}
	fmt.Fprintf(out, "%s %s in namespace %s: commands %d, trips %d\n", done, t, namespace, r.Commands, r.Trips)
	for _, key := range r.Matched {
		fmt.Fprintln(out, " ", key)
	}
	if r.Keys > 0 {
		fmt.Fprintf(out, "%d entries\n", r.Keys)
	}
	return err
}
