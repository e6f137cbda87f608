package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
)

func newPing() *cobra.Command {
	var count int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ping",
		Short: "Ask the database for a sign of life and time it",
		Long: "ping sends PING, which is not billed, and prints how long each answer took. The first one\n" +
			"opens the connection.",
		Example: "  restash ping\n  restash ping --count 5 --json",
		Args:    cobra.NoArgs,
		RunE: withClient(func(cmd *cobra.Command, c *client.Client, _ []string) error {
			for range max(count, 1) {
				if err := pingOnce(cmd, c, asJSON); err != nil {
					return fmt.Errorf("ping: %w", err)
				}
			}
			return nil
		}),
	}
	cmd.Flags().IntVarP(&count, "count", "c", 1, "how many times")
	jsonFlag(cmd.Flags(), &asJSON)
	return cmd
}

func pingOnce(cmd *cobra.Command, c *client.Client, asJSON bool) error {
	begin := time.Now()
	text, err := c.Ping(cmd.Context())
	if err != nil {
		return err
	}
	took := milliseconds(time.Since(begin))
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"reply": text, "ms": took})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %.2f ms\n", text, took)
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
