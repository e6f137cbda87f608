package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/cmd/restash/internal/doctor"
)

func newDoctor() *cobra.Command {
	var config doctor.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine the database, the caches in it, and a running application",
		Long: "doctor measures what goes wrong most: address and token, latency, clocks, replica lag,\n" +
			"eviction, and in a sample of the entries TTLs, invalidations, keys, types and namespaces. With\n" +
			"--url it asks a running application for its breaker, pending invalidations and hit rate too.\n" +
			"It prints a verdict a line, with the next step; the exit status is 0 only if all is well. It\n" +
			"costs about 50 billed commands and three for each entry of the sample. Quotas that are nearly\n" +
			"used up cannot be seen over REST: the console shows them.",
		Example: "  restash doctor\n  restash doctor --url http://127.0.0.1:3000/api/cache/metrics --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if config.Client, err = client.ConfigFromEnv(); err != nil {
				return tellFindings(cmd, asJSON, []doctor.Finding{{
					Check: "environment", Level: doctor.Fail, Says: err.Error(),
					Next: "set the two variables, name a file with --env-file, or start a local server: restash serve",
				}})
			}
			config.Client.Timeout = callTime
			config.Namespace = namespaceOr(config.Namespace)
			return tellFindings(cmd, asJSON, doctor.Examine(cmd.Context(), config))
		},
	}
	cmd.Flags().StringVar(&config.MetricsURL, "url", "", "metrics endpoint of a running application, such as "+defaultMetricsURL)
	cmd.Flags().IntVar(&config.Sample, "sample", 50, "how many entries to look at")
	namespaceFlag(cmd.Flags(), &config.Namespace)
	jsonFlag(cmd.Flags(), &asJSON)
	return cmd
}

func tellFindings(cmd *cobra.Command, asJSON bool, findings []doctor.Finding) error {
	out, p := cmd.OutOrStdout(), newPaint(cmd)
	colours := map[doctor.Level]func(string) string{doctor.OK: p.green, doctor.Warn: p.yellow, doctor.Fail: p.red, doctor.Skip: p.dim}
	for _, f := range findings {
		if asJSON {
			if err := printJSON(out, f); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%s  %-12s  %s", colours[f.Level](fmt.Sprintf("%-4s", f.Level)), f.Check, oneLine(fmt.Errorf("%s", f.Says)))
		if f.Next != "" {
			line += p.bold("  →  " + f.Next)
		}
		fmt.Fprintln(out, line)
	}
	if !doctor.Well(findings) {
		return errReported
	}
	return nil
}
