package main

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cldcde/restash/cmd/restash/internal/shell"
)

// newPrompt edits lines on a terminal and reads them as they are elsewhere.
func newPrompt(cmd *cobra.Command, history *shell.History) prompt {
	in, isFile := cmd.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) || !isTerminal(cmd.OutOrStdout()) {
		return newPlainPrompt(cmd.InOrStdin())
	}
	p := newTerminalPrompt(struct {
		io.Reader
		io.Writer
	}{in, cmd.OutOrStdout()}, history)
	p.file = in
	return p
}

// terminalPrompt edits lines, with history and completion. While a command
// runs the terminal is as the shell left it, so that Ctrl-C ends the program.
type terminalPrompt struct {
	file *os.File // nil in tests: there is no mode to change
	term *term.Terminal
}

func newTerminalPrompt(screen io.ReadWriter, history *shell.History) *terminalPrompt {
	p := &terminalPrompt{term: term.NewTerminal(screen, "")}
	p.term.History = history
	p.term.AutoCompleteCallback = p.complete
	return p
}

func (p *terminalPrompt) silent() bool { return false }

func (p *terminalPrompt) read(label string) (string, error) {
	p.term.SetPrompt(label)
	if p.file == nil {
		return p.term.ReadLine()
	}
	fd := int(p.file.Fd())
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		_ = p.term.SetSize(width, height) // the edge of the line may be wrong, no more
	}
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, before) }()
	return p.term.ReadLine()
}

// complete is called for each key, without the terminal's lock.
func (p *terminalPrompt) complete(line string, at int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	typed, show := shell.Complete(line[:at])
	if len(show) > 0 {
		_, _ = p.term.Write([]byte(strings.Join(show, "\n") + "\n"))
	}
	return typed + line[at:], len(typed), true
}
