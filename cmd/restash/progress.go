package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/cldcde/restash/warm"
)

// progress prints one line for each step that has ended, unless out is nil. While
// a step runs it shows a bar with rate and time left on a terminal, and a line
// every few seconds elsewhere.
type progress struct {
	out     io.Writer
	bars    bool
	barsOut io.Writer
	bar     *progressbar.ProgressBar
	before  warm.Report // of the steps that ended earlier
	told    time.Time   // the last line of a step under way
}

// tellEvery is how often there is a line where no bar can move.
const tellEvery = 3 * time.Second

func (p *progress) tell(e warm.Event) {
	if p.out == nil {
		return
	}
	switch {
	case p.bars:
		p.draw(e)
	case !e.End:
		p.line(e)
	}
	if !e.End {
		return
	}
	now, before := e.Report, p.before
	p.before = now
	result := fmt.Sprintf("warmed %d, fresh %d, failed %d", now.Warmed-before.Warmed, now.Fresh-before.Fresh, now.Failed-before.Failed)
	if e.Err != nil {
		result += ", ended early"
	}
	fmt.Fprintf(p.out, "%2d/%d  %-24s  %s\n", e.Index+1, e.Steps, e.Step, result)
}

// line is what a log gets of a step under way.
func (p *progress) line(e warm.Event) {
	now := time.Now()
	if p.told.IsZero() || e.Done == 0 {
		p.told = now // a step is told of when it has lasted
		return
	}
	if now.Sub(p.told) < tellEvery {
		return
	}
	p.told = now
	fmt.Fprintf(p.out, "%2d/%d  %-24s  %d of %d keys, %.0f a second, about %s left\n",
		e.Index+1, e.Steps, e.Step, e.Done, e.Of, e.Rate, e.Left.Round(time.Second))
}

// draw moves the bar of the step, and takes it away when the step has ended.
// What goes wrong with a terminal is no reason to stop.
func (p *progress) draw(e warm.Event) {
	if e.End {
		if p.bar != nil {
			_ = p.bar.Clear()
			p.bar = nil
		}
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(max(e.Of, 1),
			progressbar.OptionSetWriter(p.barsOut), progressbar.OptionSetDescription(fmt.Sprintf("%2d/%d  %s", e.Index+1, e.Steps, e.Step)),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("keys"), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24))
	}
	p.bar.ChangeMax(max(e.Of, 1))
	_ = p.bar.Set(e.Done)
}

// isTerminal reports whether w is a screen that can redraw a line.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
