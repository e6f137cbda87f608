package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client/command"
)

func newCommands() *cobra.Command {
	return &cobra.Command{
		Use:   "commands",
		Short: "Print the Redis commands that the client types",
		Long: "commands prints one line for each Redis command: its name and group, whether it reads or\n" +
			"writes, whether it may be sent twice, since which Redis version it exists (\"upstash\" for\n" +
			"Upstash's own), and how it is written in Go.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return printCommands(cmd.OutOrStdout()) },
	}
}

func printCommands(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "COMMAND\tGROUP\tKIND\tREPEAT\tSINCE\tGO")
	for _, info := range command.Table() {
		kind, repeat := "write", "no"
		if info.Read {
			kind = "read"
		}
		if info.Repeat {
			repeat = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", info.Name, info.Group, kind, repeat, info.Since, info.Signature)
	}
	return table.Flush()
}
