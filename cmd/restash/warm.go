package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

// maxShownErrors bounds what warm prints of failed keys.
const maxShownErrors = 10

func newWarm() *cobra.Command {
	var address string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "warm",
		Short: "Fill the caches that the sample's routes read",
		Long: "warm loads the sample's popular lists, items and profiles from the database that\n" +
			"DATABASE_URL names and stores them in the Redis that UPSTASH_REDIS_REST_URL names.\n" +
			"With --url a deployment does so itself; CRON_SECRET is its token. The exit status is 1\n" +
			"if some could not be loaded or stored.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if address != "" {
				return runRemoteWarm(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), address, asJSON)
			}
			return runWarm(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), newLogger(cmd), asJSON)
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "address of a deployment that warms itself, such as https://catalog.example.com")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON and no progress")
	return cmd
}

func runWarm(ctx context.Context, out, errOut io.Writer, logger *slog.Logger, asJSON bool) (err error) {
	var opened closers
	defer func() { err = errors.Join(err, opened.close()) }()
	address := os.Getenv(databaseVariable)
	if address == "" {
		return errors.New("warm: " + databaseVariable + " is not set")
	}
	c, err := client.FromEnv()
	if err != nil {
		return err
	}
	opened.add(c.Close)
	if err := existing(address); err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	db, dialect, err := openDatabase(ctx, address)
	if err != nil {
		return err
	}
	opened.add(db.Close)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: logger})
	if err != nil {
		return err
	}
	opened.add(func() error { return store.Close(context.WithoutCancel(ctx)) })
	database, err := catalog.NewDatabase(db, dialect)
	if err != nil {
		return err
	}
	app, err := catalog.New(catalog.Config{Database: database, Store: store, Logger: logger})
	if err != nil {
		return err
	}
	var steps progress
	if !asJSON {
		steps = progress{out: out, bars: isTerminal(errOut), barsOut: errOut}
	}
	report, err := app.Plan().Run(ctx, store, warm.Options{Progress: steps.tell})
	if failure := tellReport(out, report, asJSON); failure != nil {
		return failure
	}
	if err == nil && report.OK() {
		return nil
	}
	tellFailures(errOut, report, err)
	return errReported
}

// tellReport writes the report, which is the last line on stdout.
func tellReport(out io.Writer, r warm.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	line := fmt.Sprintf("%s, %d bytes", r, r.Bytes)
	if r.Elapsed > 0 {
		line += fmt.Sprintf(" in %s", r.Elapsed.Round(time.Millisecond))
	}
	_, err := fmt.Fprintln(out, line)
	return err
}

// tellFailures prints what failed, a line each.
func tellFailures(errOut io.Writer, report warm.Report, err error) {
	var lines []string
	for key, failure := range report.Errors {
		lines = append(lines, key+": "+oneLine(failure))
	}
	if len(lines) == 0 && err != nil {
		lines = append(lines, oneLine(err))
	}
	slices.Sort(lines)
	tellLines(errOut, lines)
}

// tellLines prints the first lines, and how many there are more.
func tellLines(errOut io.Writer, lines []string) {
	if left := len(lines) - maxShownErrors; left > 0 {
		lines = append(lines[:maxShownErrors:maxShownErrors], fmt.Sprintf("and %d more", left))
	}
	for _, line := range lines {
		fmt.Fprintln(errOut, "restash: warm:", line)
	}
}
