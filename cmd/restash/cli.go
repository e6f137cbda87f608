package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/reply"
	"github.com/cldcde/restash/cmd/restash/internal/shell"
)

func newCLI() *cobra.Command {
	var history string
	cmd := &cobra.Command{
		Use:   "cli",
		Short: "Type Redis commands at a prompt",
		Long: "cli reads commands at a prompt and prints each reply as redis-cli does, with its time and\n" +
			"bill. Tab completes commands and shows their arguments, the arrow keys bring back earlier\n" +
			"lines. A server that does not answer is told and tried again with the next command. HELP\n" +
			"[COMMAND] explains, EXIT, Ctrl-D or Ctrl-C ends. Lines are kept in a file that only you may\n" +
			"read; those that begin with a space, AUTH and ACL are not. Without a terminal it reads the\n" +
			"lines of standard input.",
		Example: "  restash cli\n  echo 'INCR visits' | restash cli",
		Args:    cobra.NoArgs,
		RunE: withClient(func(cmd *cobra.Command, c *client.Client, _ []string) error {
			keys := shell.OpenHistory(historyFile(history))
			prompt := newPrompt(cmd, keys)
			s := &session{cmd: cmd, c: c, prompt: prompt, paint: newPaint(cmd), name: databaseName(), silent: prompt.silent()}
			return errors.Join(s.run(), keys.Save())
		}, exactKinds),
	}
	cmd.Flags().StringVar(&history, "history", "", "file that keeps the lines, - for none (default: restash/history in your configuration folder)")
	return cmd
}

func historyFile(flag string) string {
	switch {
	case flag == "-":
		return ""
	case flag != "":
		return flag
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "restash", "history")
}

// databaseName is what the prompt says: the host, never what else a URL holds.
func databaseName() string {
	config, err := client.ConfigFromEnv()
	if err != nil {
		return "redis"
	}
	at, err := url.Parse(config.URL)
	if err != nil || at.Host == "" {
		return "redis"
	}
	return at.Host
}

// session is one run of cli.
type session struct {
	cmd    *cobra.Command
	c      *client.Client
	prompt prompt
	paint  paint
	name   string
	down   bool // the last command was not answered
	silent bool // no person is reading: replies alone
	failed bool

	commands, billed int
}

func (s *session) run() error {
	for s.cmd.Context().Err() == nil {
		line, err := s.prompt.read(s.label())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("cli: %w", err)
		}
		if s.answer(line) {
			break
		}
	}
	if !s.silent && s.commands > 0 {
		fmt.Fprintln(s.cmd.OutOrStdout(), s.paint.dim(fmt.Sprintf("%d commands, %d billed", s.commands, s.billed)))
	}
	if s.silent && s.failed {
		return errReported
	}
	return nil
}

func (s *session) label() string {
	if s.down {
		return s.name + " (not answering)> "
	}
	return s.name + "> "
}

// answer runs one line and reports whether it was the last.
func (s *session) answer(line string) (last bool) {
	args, err := reply.Split(line)
	if err != nil {
		s.complain(err)
		return false
	}
	if len(args) == 0 {
		return false
	}
	switch strings.ToUpper(args[0]) {
	case "EXIT", "QUIT":
		return true
	case "CLEAR":
		fmt.Fprint(s.cmd.OutOrStdout(), "\x1b[H\x1b[2J")
	case "HELP", "?":
		s.help(args[1:])
	default:
		s.execute(args)
	}
	return false
}

func (s *session) help(args []string) {
	lines := shell.Hints(strings.Join(args, " "))
	switch {
	case len(args) == 0:
		lines = []string{"Type a command, such as SET greeting hello. Tab completes and shows arguments, HELP COMMAND too.", "EXIT ends. restash commands lists all."}
	case len(lines) == 0:
		lines = []string{"no command " + strings.ToUpper(strings.Join(args, " ")) + " in our table; it is sent all the same"}
	}
	for _, line := range lines {
		fmt.Fprintln(s.cmd.OutOrStdout(), line)
	}
}

// execute sends a command, and prints its reply, time and bill.
func (s *session) execute(args []string) {
	begin := time.Now()
	r, err := send(s.cmd.Context(), s.c, args)
	took := time.Since(begin)
	s.down = err != nil && client.Unavailable(err)
	if err != nil {
		s.complain(advised(err))
		return
	}
	s.failed = s.failed || r.Kind == command.KindError
	how := printing{quoted: !s.silent}
	if err := how.print(s.cmd.OutOrStdout(), r); err != nil {
		s.complain(err)
	}
	bill, text := billOf(args[0])
	if r.Kind == command.KindError {
		text = "billed if it ran: " + text
	}
	s.commands++
	s.billed += bill
	if !s.silent {
		fmt.Fprintln(s.cmd.OutOrStdout(), s.paint.dim(fmt.Sprintf("%.2f ms, %s", milliseconds(took), text)))
	}
}

func (s *session) complain(err error) {
	s.failed = true
	fmt.Fprintln(s.cmd.ErrOrStderr(), s.paint.red("restash: "+oneLine(err)))
}

// billOf says what Upstash bills for a command that was answered.
func billOf(name string) (commands int, text string) {
	switch strings.ToUpper(name) {
	case "AUTH", "COMMAND", "INFO", "PING", "QUIT":
		return 0, "not billed"
	case "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO":
		return 1, "1 command billed, and each one that the script ran"
	}
	return 1, "1 command billed"
}

// prompt is where lines come from.
type prompt interface {
	read(label string) (string, error)
	silent() bool // there is no person to ask
}

// plainPrompt reads the lines of a file or a pipe.
type plainPrompt struct{ lines *bufio.Scanner }

func newPlainPrompt(in io.Reader) plainPrompt {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	return plainPrompt{lines}
}

func (p plainPrompt) read(string) (string, error) {
	if p.lines.Scan() {
		return p.lines.Text(), nil
	}
	if err := p.lines.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}

func (plainPrompt) silent() bool { return true }
