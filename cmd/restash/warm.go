package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

// warmOptions are the flags of warm.
type warmOptions struct {
	url       string // a deployment that warms itself
	namespace string // that is filled
	reader    string // a deployment that reads it
	asJSON    bool
	warm.Options
}

func newWarm() *cobra.Command {
	var o warmOptions
	cmd := &cobra.Command{
		Use:   "warm",
		Short: "Fill the caches that the sample's routes read",
		Long: "warm loads the sample's popular lists, items and profiles from the database that\n" +
			"DATABASE_URL names and stores them in the Redis that UPSTASH_REDIS_REST_URL names.\n" +
			"It fills one namespace: that of --namespace, or the one that VERCEL_ENV gives, as for a\n" +
			"deployment. With --url a deployment does it itself; CRON_SECRET is its token. One\n" +
			"runner works at a time; one that was killed keeps others out for a minute at most, and\n" +
			"--force does not wait. The exit status is 1 if some could not be loaded or stored, 130\n" +
			"after Ctrl-C.",
		Example: "  restash warm\n  restash warm --namespace restash-production --reader https://catalog.example.com\n" +
			"  restash warm --url https://catalog.example.com",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.url != "" {
				return runRemoteWarm(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), o.url, o.asJSON)
			}
			return runWarm(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), newLogger(cmd), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.url, "url", "", "address of a deployment that warms itself, such as https://catalog.example.com")
	flags.StringVar(&o.namespace, "namespace", "", "namespace to fill (default: of VERCEL_ENV, else "+plainNamespace+")")
	flags.StringVar(&o.reader, "reader", "", "address of a deployment that reads it: warm stops if its namespace is another")
	flags.StringVar(&o.From, "from", "", "where an earlier run ended: the next of its report")
	flags.DurationVar(&o.Time, "time", 0, "most time, 0 for as long as it takes")
	flags.IntVar(&o.Commands, "commands", 0, "most billed commands, 0 for any number")
	flags.IntVar(&o.Concurrency, "concurrency", 1, "steps that run at once")
	flags.BoolVar(&o.Force, "force", false, "take the plan over from another runner")
	flags.BoolVar(&o.asJSON, "json", false, "print the report as JSON and no progress")
	for _, own := range []string{"namespace", "reader", "from", "time", "commands", "concurrency", "force"} {
		cmd.MarkFlagsMutuallyExclusive("url", own)
	}
	return cmd
}

func runWarm(ctx context.Context, out, errOut io.Writer, logger *slog.Logger, o warmOptions) (err error) {
	var opened closers
	defer func() { err = errors.Join(err, opened.close()) }()
	app, err := openWarm(ctx, &opened, logger, o)
	if err != nil {
		return err
	}
	store := app.Store()
	if err := checkReaders(ctx, store, o); err != nil {
		return err
	}
	if !o.asJSON {
		fmt.Fprintf(out, "namespace %s\n", store.Namespace())
		steps := progress{out: out, bars: isTerminal(errOut), barsOut: errOut}
		o.Progress = steps.tell
	}
	report, err := app.Plan().Run(ctx, store, o.Options)
	if failure := tellReport(out, report, o.asJSON); failure != nil {
		return failure
	}
	if err == nil && report.OK() {
		return nil
	}
	if ctx.Err() != nil {
		fmt.Fprintln(errOut, "restash: warm: interrupted; "+goOn(report))
		return errInterrupted
	}
	tellFailures(errOut, report, err)
	return errReported
}

// goOn says how to run the rest of a warm-up that ended early.
func goOn(report warm.Report) string {
	switch {
	case report.Next == "" && report.Elapsed == 0:
		return "nothing was done"
	case report.Next == "":
		return "nothing is left to do"
	}
	return "what is stored stays; go on with: restash warm --namespace " + report.Namespace + " --from " + report.Next
}

// openWarm opens what the environment names: the database, and the Store of the
// namespace that is to be filled.
func openWarm(ctx context.Context, opened *closers, logger *slog.Logger, o warmOptions) (*catalog.App, error) {
	address := os.Getenv(databaseVariable)
	if address == "" {
		return nil, errors.New("warm: " + databaseVariable + " is not set")
	}
	c, err := client.FromEnv()
	if err != nil {
		return nil, err
	}
	opened.add(c.Close)
	if err := existing(address); err != nil {
		return nil, fmt.Errorf("warm: %w", err)
	}
	db, dialect, err := openDatabase(ctx, address)
	if err != nil {
		return nil, err
	}
	opened.add(db.Close)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Namespace: o.namespace, Logger: logger})
	if err != nil {
		return nil, err
	}
	opened.add(func() error { return closeWarm(ctx, store) })
	database, err := catalog.NewDatabase(db, dialect)
	if err != nil {
		return nil, err
	}
	return catalog.New(catalog.Config{Database: database, Store: store, Logger: logger})
}

// interruptedWait is how long a warm-up that was interrupted waits for the batch
// under way, which the next one repeats.
const interruptedWait = 2 * time.Second

func closeWarm(ctx context.Context, store *strategies.Store) error {
	patient := context.WithoutCancel(ctx)
	if ctx.Err() == nil {
		return store.Close(patient)
	}
	bounded, cancel := context.WithTimeout(patient, interruptedWait)
	defer cancel()
	return store.Close(bounded)
}
