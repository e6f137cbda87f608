package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/cmd/restash/internal/probe"
	"github.com/cldcde/restash/upstashtest"
)

// probeOptions are the flags of probe.
type probeOptions struct {
	live, json bool
	metrics    string
}

func newProbe() *cobra.Command {
	var opts probeOptions
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Compare the documentation with what a server answers",
		Long: "probe sends some two hundred small requests to a local server of its own, and with --live to the\n" +
			"database of the environment too, under a random prefix that it removes at the end. It prints\n" +
			"a table of the answers that differ from the documentation or from each other, and of those\n" +
			"that nobody documents. With --metrics, the address of a counter of commands (the local server's\n" +
			"/_restash/bill, or the metrics address that restash try prints), it measures what MGET and\n" +
			"MSETEX of 100 keys cost. The exit status is 0 if all is as documented.",
		Example: "  restash probe\n  restash probe --live --json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runProbe(cmd, opts) },
	}
	cmd.Flags().BoolVar(&opts.live, "live", false, "ask the database of the environment too")
	cmd.Flags().StringVar(&opts.metrics, "metrics", "", "with --live: address of a counter of its commands")
	jsonFlag(cmd.Flags(), &opts.json)
	return cmd
}

func runProbe(cmd *cobra.Command, opts probeOptions) error {
	if opts.metrics != "" && !opts.live {
		return misused(cmd, "probe: --metrics needs --live")
	}
	server, err := upstashtest.New(upstashtest.Config{})
	if err != nil {
		return err
	}
	defer server.Close()
	reports := []report{{name: "local", target: probe.Target{URL: server.URL, Token: server.Token}}}
	if opts.live {
		config, err := client.ConfigFromEnv()
		if err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		reports = append(reports, report{name: "live", target: probe.Target{URL: config.URL, Token: config.Token}})
	}
	for i := range reports {
		if reports[i].answers, err = probe.Run(cmd.Context(), reports[i].target); err != nil {
			return fmt.Errorf("probe: %s: %w", reports[i].name, err)
		}
	}
	if err := tellProbe(cmd, opts, reports); err != nil {
		return err
	}
	if opts.metrics == "" {
		return nil
	}
	return tellPrices(cmd, reports[1].target, opts)
}

// report is what one server answered.
type report struct {
	name    string
	target  probe.Target
	answers []probe.Answer
}

// probeRow is a line of the table for programs.
type probeRow struct {
	probe.Answer
	Server string `json:"server"`
}

func tellProbe(cmd *cobra.Command, opts probeOptions, reports []report) error {
	out := cmd.OutOrStdout()
	unmet, shown := 0, 0
	var table strings.Builder
	for i, first := range reports[0].answers {
		differs := false
		for _, r := range reports {
			if opts.json {
				if err := printJSON(out, probeRow{r.answers[i], r.name}); err != nil {
					return err
				}
			}
			if !r.answers[i].Met {
				unmet++
			}
			differs = differs || r.answers[i].Got != first.Got
		}
		if interesting(reports, i, differs) {
			shown++
			writeRow(&table, reports, i)
		}
	}
	if !opts.json {
		head := writeHead(reports)
		fmt.Fprintf(out, "%d questions, %d answers not as documented, %d shown below\n\n%s%s", len(reports[0].answers), unmet, shown, head, table.String())
	}
	if unmet > 0 {
		return errReported
	}
	return nil
}

// interesting are answers that are wrong or documented nowhere, and those that
// documentation leaves free and two servers give differently.
func interesting(reports []report, i int, differs bool) bool {
	for _, r := range reports {
		if !r.answers[i].Met || r.answers[i].Open {
			return true
		}
	}
	return differs && strings.Contains(reports[0].answers[i].Want, "~ ")
}

func writeHead(reports []report) string {
	head, rule := "| question | request | documented |", "|---|---|---|"
	for _, r := range reports {
		head += " " + r.name + " |"
		rule += "---|"
	}
	return head + "\n" + rule + "\n"
}

func writeRow(out io.Writer, reports []report, i int) {
	a := reports[0].answers[i]
	cells := []string{a.Question, code(a.Request), code(a.Want)}
	if a.Question == "" {
		cells[0] = a.Section
	}
	for _, r := range reports {
		cells = append(cells, code(r.answers[i].Got))
	}
	fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
}

// code writes a cell of a Markdown table as it was sent.
func code(text string) string {
	text = strings.NewReplacer("|", `\|`, "\r", `\r`, "\n", `\n`, "`", "'").Replace(text)
	if len(text) > 120 {
		text = text[:120] + "..."
	}
	return "`" + text + "`"
}

func tellPrices(cmd *cobra.Command, target probe.Target, opts probeOptions) error {
	prices, err := probe.Prices(cmd.Context(), target, opts.metrics)
	if err != nil {
		return fmt.Errorf("probe: prices: %w", err)
	}
	for _, p := range prices {
		if opts.json {
			err = errors.Join(err, printJSON(cmd.OutOrStdout(), p))
			continue
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %.2f commands each, by the counter\n", p.Request, p.Commands)
	}
	return err
}
