package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client/command"
)

func newCommands() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "commands [NAME]",
		Short: "Print the Redis commands that the client types",
		Long: "commands prints one line for each Redis command, or for those whose names begin with NAME:\n" +
			"its name and group, whether it reads or writes, whether it may be sent twice, since which\n" +
			"Redis version it exists (\"upstash\" for Upstash's own), and how it is written in Go.",
		Example: "  restash commands\n  restash commands zrange\n  restash commands --json xadd",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return printCommands(cmd.OutOrStdout(), strings.Join(args, ""), asJSON)
		},
	}
	jsonFlag(cmd.Flags(), &asJSON)
	return cmd
}

// commandRow is a row of the table for programs.
type commandRow struct {
	Name      string `json:"name"`
	Group     string `json:"group"`
	Read      bool   `json:"read"`
	Repeat    bool   `json:"repeat"`
	Since     string `json:"since"`
	Signature string `json:"go"`
}

func printCommands(out io.Writer, prefix string, asJSON bool) error {
	rows := commandRows(prefix)
	if len(rows) == 0 {
		return fmt.Errorf("commands: no command's name begins with %q", prefix)
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(table, "COMMAND\tGROUP\tKIND\tREPEAT\tSINCE\tGO")
	}
	for _, r := range rows {
		if asJSON {
			if err := printJSON(out, r); err != nil {
				return err
			}
			continue
		}
		kind, repeat := "write", "no"
		if r.Read {
			kind = "read"
		}
		if r.Repeat {
			repeat = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Group, kind, repeat, r.Since, r.Signature)
	}
	return table.Flush()
}

func commandRows(prefix string) []commandRow {
	var rows []commandRow
	for _, info := range command.Table() {
		if strings.HasPrefix(info.Name, strings.ToUpper(prefix)) {
			rows = append(rows, commandRow{info.Name, info.Group, info.Read, info.Repeat, info.Since, info.Signature})
		}
	}
	return rows
}
