package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// jsonFlag is on every command that prints data.
func jsonFlag(flags *pflag.FlagSet, asJSON *bool) {
	flags.BoolVar(asJSON, "json", false, "print JSON, one value a line")
}

// printJSON writes v as one line.
func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// paint colours text for a person. The zero value leaves it as it is.
type paint struct{ on bool }

// newPaint colours what a command prints only if it goes to a terminal and
// NO_COLOR (https://no-color.org) is not set.
func newPaint(cmd *cobra.Command) paint {
	return paint{on: os.Getenv("NO_COLOR") == "" && isTerminal(cmd.OutOrStdout())}
}

func (p paint) sgr(code, text string) string {
	if !p.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) bold(text string) string   { return p.sgr("1", text) }
func (p paint) dim(text string) string    { return p.sgr("2", text) }
func (p paint) red(text string) string    { return p.sgr("31", text) }
func (p paint) green(text string) string  { return p.sgr("32", text) }
func (p paint) yellow(text string) string { return p.sgr("33", text) }
