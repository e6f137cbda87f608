package warm

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/cldcde/restash/strategies"
)

// Exit statuses of [Main].
const (
	ExitOK     = 0
	ExitFailed = 1 // something failed; what did not is stored
	ExitUsage  = 2
	ExitBusy   = 3 // another instance runs the plan
	// ExitInterrupted is that of a run that a signal ended.
	ExitInterrupted = 130
)

// Main is a whole warm-up command:
//
//	func main() {
//		warm.Main(func(ctx context.Context) (*strategies.Store, warm.Plan, error) {
//			store, err := openStore()
//			return store, warm.Plan{Steps: steps(store)}, err
//		})
//	}
//
// It knows the flags -json, -quiet, -commands, -time, -concurrency, -force and -from, prints
// progress on standard error and the report on standard output, and ends the
// process with one of the exit statuses. An interrupt ends it after the batch
// under way.
func Main(setup func(ctx context.Context) (*strategies.Store, Plan, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := Command(ctx, os.Args[1:], os.Stdout, os.Stderr, setup)
	stop()
	os.Exit(status)
}

// Command is [Main] without the process: it takes the arguments and returns
// the exit status.
func Command(ctx context.Context, args []string, out, errs io.Writer, setup func(ctx context.Context) (*strategies.Store, Plan, error)) int {
	var o Options
	var asJSON, quiet bool
	flags := flag.NewFlagSet("warm", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	flags.BoolVar(&quiet, "quiet", false, "print no progress")
	flags.IntVar(&o.Commands, "commands", 0, "most billed commands, 0 for any number")
	flags.DurationVar(&o.Time, "time", 0, "most time, 0 for as long as it takes")
	flags.IntVar(&o.Concurrency, "concurrency", 0, "steps that run at once, 0 for the plan's number")
	flags.BoolVar(&o.Force, "force", false, "take the plan over from another instance")
	flags.StringVar(&o.From, "from", "", "where an earlier run ended: the next of its report")
	if err := flags.Parse(args); err != nil {
		return ExitUsage
	}
	store, plan, err := setup(ctx)
	if err != nil {
		fmt.Fprintln(errs, "warm:", err)
		return ExitFailed
	}
	if !quiet {
		o.Progress = Lines(errs)
	}
	report, err := plan.Run(ctx, store, o)
	status := finish(report, err, asJSON, out, errs)
	if ctx.Err() == nil {
		return status
	}
	if report.Next != "" {
		fmt.Fprintf(errs, "warm: interrupted; go on with -from %s\n", report.Next)
	}
	return ExitInterrupted
}

func finish(report Report, err error, asJSON bool, out, errs io.Writer) int {
	if asJSON {
		encoded, _ := json.Marshal(report) // a struct of plain values always can be
		fmt.Fprintf(out, "%s\n", encoded)
	} else {
		fmt.Fprintf(out, "namespace %s: %s, %d bytes in %s\n", report.Namespace, report, report.Bytes, report.Elapsed.Round(time.Millisecond))
	}
	for _, key := range sortedKeys(report.Errors) {
		fmt.Fprintf(errs, "warm: %s: %v\n", key, report.Errors[key])
	}
	switch {
	case errors.Is(err, ErrBusy):
		fmt.Fprintln(errs, err)
		return ExitBusy
	case err != nil || !report.OK():
		if err != nil && len(report.Errors) == 0 {
			fmt.Fprintln(errs, err)
		}
		return ExitFailed
	}
	return ExitOK
}

func sortedKeys(m map[string]error) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Lines is a Progress that writes a line as each step ends, and one a second
// while it lasts.
func Lines(w io.Writer) func(Event) {
	var last time.Time
	return func(e Event) {
		now := time.Now()
		switch {
		case e.End && e.Err != nil:
			fmt.Fprintf(w, "%d/%d %s: %d of %d, ended early: %v\n", e.Index+1, e.Steps, e.Step, e.Done, e.Of, e.Err)
		case e.End:
			fmt.Fprintf(w, "%d/%d %s: done, %s\n", e.Index+1, e.Steps, e.Step, e.Report)
		case now.Sub(last) >= time.Second && e.Of > 0:
			fmt.Fprintf(w, "%d/%d %s: %d of %d, about %s left\n", e.Index+1, e.Steps, e.Step, e.Done, e.Of, e.Left.Round(time.Second))
		default:
			return
		}
		last = now
	}
}
