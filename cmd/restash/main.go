package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: shutting down may hang.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit statuses. Scripts tell a mistake in the command line from a command
// that was understood and failed.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitBroken = 130 // interrupted by Ctrl-C, as shells count it
)

// errReported ends with exit status 1 without another line on stderr, and
// errInterrupted with that of an interrupt.
var (
	errReported    = errors.New("reported")
	errInterrupted = errors.New("interrupted")
)

// run is main without the process: it returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, errInterrupted):
		return exitBroken
	case isUsage(err):
		fmt.Fprintln(stderr, "restash:", oneLine(err))
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "restash: interrupted")
	default:
		fmt.Fprintln(stderr, "restash:", oneLine(advised(err)))
	}
	return exitFailed
}

// oneLine keeps joined errors, which have a line each, readable by grep.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
