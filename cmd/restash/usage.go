package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that was not understood: exit status 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func isUsage(err error) bool {
	_, ok := errors.AsType[*usageError](err)
	return ok
}

// misused is a usageError of a command, which says where to read on.
func misused(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf("%w; see %s --help", fmt.Errorf(format, args...), cmd.CommandPath())}
}

// classifyUsage marks what cobra finds wrong with flags and arguments, for a
// command and all below it.
func classifyUsage(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misused(cmd, "%w%s", err, nearestFlag(cmd, err))
	})
	if cmd.HasSubCommands() && !cmd.Runnable() { // else cobra shows the help whatever was asked for
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil || cmd.HasSubCommands() {
			return checkSubcommand(cmd, args)
		}
		if err := check(cmd, args); err != nil {
			return misused(cmd, "%s: %w", cmd.Name(), err)
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		classifyUsage(sub)
	}
}

// checkSubcommand refuses what is left where the name of a command was due.
func checkSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || cmd.Name() == "help" {
		return nil
	}
	return misused(cmd, "unknown command %q for %q%s", args[0], cmd.CommandPath(), meant(cmd, args[0]))
}

// meant suggests names for one that does not exist.
func meant(cmd *cobra.Command, name string) string {
	cmd.SuggestionsMinimumDistance = 2
	names := cmd.SuggestionsFor(name)
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}

// nearestFlag suggests a flag for an unknown one. cobra measures distances of
// commands only, so flags are lent to it as commands.
func nearestFlag(cmd *cobra.Command, err error) string {
	_, name, found := strings.Cut(err.Error(), "unknown flag: --")
	if !found {
		return ""
	}
	var flags cobra.Command
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			flags.AddCommand(&cobra.Command{Use: "--" + f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	return meant(&flags, "--"+name)
}

func words(line string) []string { return strings.Fields(line) }
