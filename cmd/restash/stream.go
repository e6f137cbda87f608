package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

func newSubscribe() *cobra.Command {
	var patterns, asJSON bool
	var count int
	cmd := &cobra.Command{
		Use:     "subscribe CHANNEL...",
		Short:   "Print what is published on channels",
		Long:    "subscribe prints each message as redis-cli does, until it is interrupted. A connection that\nbreaks is opened again; what was published meanwhile is lost, and said so on stderr.",
		Example: "  restash subscribe news\n  restash subscribe --pattern 'news:*' --json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listen(cmd, asJSON, count, func(ctx context.Context, c *client.Client) iter.Seq2[client.Message, error] {
				if patterns {
					return c.PSubscribe(ctx, args...)
				}
				return c.Subscribe(ctx, args...)
			})
		},
	}
	cmd.Flags().BoolVar(&patterns, "pattern", false, "the names are patterns, as those of PSUBSCRIBE")
	cmd.Flags().IntVar(&count, "count", 0, "end after so many messages (default: when interrupted)")
	jsonFlag(cmd.Flags(), &asJSON)
	return cmd
}

func newMonitor() *cobra.Command {
	var asJSON bool
	var count int
	cmd := &cobra.Command{
		Use:     "monitor",
		Short:   "Print every command that the database runs",
		Long:    "monitor prints a line for every command that the database runs, until it is interrupted.",
		Example: "  restash monitor\n  restash monitor --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listen(cmd, asJSON, count, func(ctx context.Context, c *client.Client) iter.Seq2[client.Message, error] {
				return c.Monitor(ctx)
			})
		},
	}
	cmd.Flags().IntVar(&count, "count", 0, "end after so many commands (default: when interrupted)")
	jsonFlag(cmd.Flags(), &asJSON)
	return cmd
}

// listen prints a stream until it is interrupted, which is its ordinary end.
func listen(cmd *cobra.Command, asJSON bool, count int, open func(context.Context, *client.Client) iter.Seq2[client.Message, error]) error {
	c, err := openClient(func(config *client.Config) {
		config.Trace = &client.Trace{StreamOpen: func(context.Context, string) {
			fmt.Fprintln(cmd.ErrOrStderr(), "listening; Ctrl-C ends it")
		}}
	})
	if err != nil {
		return err
	}
	defer c.Close()
	seen := 0
	for m, err := range open(cmd.Context(), c) {
		switch {
		case cmd.Context().Err() != nil:
			return nil
		case errors.Is(err, client.ErrGap):
			fmt.Fprintln(cmd.ErrOrStderr(), "restash:", oneLine(err))
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", cmd.Name(), err)
		}
		if err := printMessage(cmd, m, asJSON); err != nil {
			return err
		}
		if seen++; seen == count {
			return nil
		}
	}
	return nil
}

func printMessage(cmd *cobra.Command, m client.Message, asJSON bool) error {
	out := cmd.OutOrStdout()
	parts := []string{"message", m.Channel, m.Payload}
	switch {
	case asJSON:
		return printJSON(out, map[string]string{"channel": m.Channel, "pattern": m.Pattern, "payload": m.Payload})
	case m.Channel == "":
		_, err := fmt.Fprintln(out, m.Payload)
		return err
	case m.Pattern != "":
		parts = []string{"pmessage", m.Pattern, m.Channel, m.Payload}
	}
	list := command.Reply{Kind: command.KindArray}
	for _, part := range parts {
		list.Array = append(list.Array, command.Reply{Kind: command.KindBulk, Bytes: []byte(part)})
	}
	return printing{quoted: isTerminal(out)}.print(out, list)
}
