package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/reply"
)

// printing says how replies are printed.
type printing struct {
	json, raw, quoted bool
}

func newExec() *cobra.Command {
	var how printing
	var last bool
	cmd := &cobra.Command{
		Use:   "exec COMMAND [ARG...] | -",
		Short: "Run one Redis command, or those on standard input",
		Long: "exec runs one command and prints its reply as redis-cli does: with kinds and quotes on a\n" +
			"terminal, bytes as they are elsewhere. What follows COMMAND is the command's, also if it\n" +
			"begins with a dash. With - as the only argument each line of standard input is a command,\n" +
			"quoted as in redis-cli; a line that fails does not stop the next. The exit status is 1 if\n" +
			"a command failed.",
		Example: "  restash exec SET greeting 'hello, world' EX 60\n" +
			"  restash exec --json GET greeting\n" +
			"  echo -n 'a longer value' | restash exec -x SET greeting\n" +
			"  printf 'INCR visits\\nGET visits\\n' | restash exec -",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeCommand,
		RunE: withClient(func(cmd *cobra.Command, c *client.Client, args []string) error {
			how.quoted = how.quoted || isTerminal(cmd.OutOrStdout())
			if len(args) == 1 && args[0] == "-" {
				return execLines(cmd, c, how)
			}
			if last {
				value, err := io.ReadAll(cmd.InOrStdin())
				if err != nil {
					return err
				}
				args = append(args, string(value))
			}
			return execOne(cmd, c, how, args)
		}, exactKinds),
	}
	cmd.Flags().SetInterspersed(false)
	jsonFlag(cmd.Flags(), &how.json)
	cmd.Flags().BoolVar(&how.raw, "raw", false, "print bytes as they are, also on a terminal")
	cmd.Flags().BoolVar(&how.quoted, "no-raw", false, "print kinds and quotes, also where it is no terminal")
	cmd.Flags().BoolVarP(&last, "stdin", "x", false, "take the last argument from standard input")
	cmd.MarkFlagsMutuallyExclusive("json", "raw", "no-raw")
	return cmd
}

// execLines runs the commands of standard input, a line each.
func execLines(cmd *cobra.Command, c *client.Client, how printing) error {
	lines := bufio.NewScanner(cmd.InOrStdin())
	lines.Buffer(nil, 64<<20)
	failed := false
	for n := 1; lines.Scan(); n++ {
		args, err := reply.Split(lines.Text())
		if err == nil && len(args) > 0 {
			err = execOne(cmd, c, how, args)
		}
		if err != nil {
			failed = true
		}
		if err != nil && !errors.Is(err, errReported) {
			fmt.Fprintf(cmd.ErrOrStderr(), "restash: line %d: %s\n", n, oneLine(advised(err)))
		}
		if cmd.Context().Err() != nil {
			break
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("exec: standard input: %w", err)
	}
	if failed {
		return errReported
	}
	return nil
}

// execOne prints the reply; an error reply is printed too and fails.
func execOne(cmd *cobra.Command, c *client.Client, how printing, args []string) error {
	r, err := send(cmd.Context(), c, args)
	if err != nil {
		return err
	}
	if err := how.print(cmd.OutOrStdout(), r); err != nil {
		return err
	}
	if r.Kind == command.KindError {
		return errReported
	}
	return nil
}

func (p printing) print(out io.Writer, r command.Reply) error {
	switch {
	case p.json:
		return printJSON(out, reply.JSON(r))
	case p.quoted && !p.raw:
		_, err := io.WriteString(out, reply.Format(r))
		return err
	}
	_, err := io.WriteString(out, reply.Raw(r))
	return err
}

// send runs a command that was typed. What Redis refuses is a reply; an error
// means that there was none.
func send(ctx context.Context, c *client.Client, args []string) (command.Reply, error) {
	info, known := lookUp(args)
	if info.Stream {
		return command.Reply{}, &usageError{fmt.Errorf("%s is a stream: use restash %s", info.Name, streamCommand(info.Name))}
	}
	values := make([]any, len(args)-1)
	for i, a := range args[1:] {
		values[i] = a
	}
	cmd := command.Raw(strings.ToUpper(args[0]), values...)
	if known && info.Read {
		cmd = cmd.Read()
	}
	r, err := client.Do(ctx, c, cmd)
	if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Message != "" && !client.Unavailable(err) {
		return command.Reply{Kind: command.KindError, Bytes: []byte(refusal.Message)}, nil
	}
	if errors.Is(err, client.ErrNil) {
		return command.Reply{}, nil
	}
	return r, err
}

func streamCommand(name string) string {
	switch name {
	case "PSUBSCRIBE":
		return "subscribe --pattern"
	case "MONITOR":
		return "monitor"
	}
	return "subscribe"
}

// lookUp finds the row of the table for what was typed: its first two words,
// or its first.
func lookUp(args []string) (command.Info, bool) {
	name := strings.ToUpper(args[0])
	long := name
	if len(args) > 1 {
		long += " " + strings.ToUpper(args[1])
	}
	var short command.Info
	for _, info := range command.Table() {
		switch info.Name {
		case long:
			return info, true
		case name:
			short = info
		}
	}
	return short, short.Name != ""
}

// completeCommand offers the names of commands to a shell.
func completeCommand(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, row := range commandRows(prefix) {
		names = append(names, strings.Fields(row.Name)[0]+"\t"+row.Group)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
