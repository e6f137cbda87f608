package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/cldcde/restash/warm"
)

// maxShownErrors bounds what warm prints of failed keys.
const maxShownErrors = 10

// tellReport writes the report, which is the last line on stdout.
func tellReport(out io.Writer, r warm.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	line := fmt.Sprintf("%s, %d bytes", r, r.Bytes)
	if r.Elapsed > 0 {
		line += fmt.Sprintf(" in %s", r.Elapsed.Round(time.Millisecond))
	}
	_, err := fmt.Fprintln(out, line)
	return err
}

// tellFailures prints what failed, a line each.
func tellFailures(errOut io.Writer, report warm.Report, err error) {
	var lines []string
	for key, failure := range report.Errors {
		lines = append(lines, key+": "+oneLine(failure))
	}
	if len(lines) == 0 && err != nil {
		lines = append(lines, oneLine(err))
	}
	slices.Sort(lines)
	tellLines(errOut, lines)
}

// tellLines prints the first lines, and how many there are more.
func tellLines(errOut io.Writer, lines []string) {
	if left := len(lines) - maxShownErrors; left > 0 {
		lines = append(lines[:maxShownErrors:maxShownErrors], fmt.Sprintf("and %d more", left))
	}
	for _, line := range lines {
		fmt.Fprintln(errOut, "restash: warm:", line)
	}
}
