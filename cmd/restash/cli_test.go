package main

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/cmd/restash/internal/shell"
	"github.com/cldcde/restash/upstashtest"
)

// cliAt runs cli on lines, as if a person typed them, and returns what was
// printed. Between the lines the test may do what it likes.
func cliAt(t *testing.T, in prompt) (out, errs string) {
	t.Helper()
	cmd := newRoot()
	var o, e strings.Builder
	cmd.SetOut(&o)
	cmd.SetErr(&e)
	cmd.SetContext(t.Context())
	c, err := openClient(exactKinds)
	require.NoError(t, err)
	defer c.Close()
	s := &session{cmd: cmd, c: c, prompt: in, name: databaseName(), silent: in.silent()}
	require.NoError(t, s.run())
	return o.String(), e.String()
}

// typist is a person: each line may be preceded by a deed.
type typist struct {
	lines  []func() string
	labels []string
}

func (p *typist) silent() bool { return false }

func (p *typist) read(label string) (string, error) {
	p.labels = append(p.labels, label)
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	next := p.lines[0]
	p.lines = p.lines[1:]
	return next(), nil
}

func says(line string) func() string { return func() string { return line } }

func TestCLIPrintsReplyTimeAndBill(t *testing.T) {
	database(t)
	out, errs := cliAt(t, &typist{lines: []func() string{says(`set a "x y"`), says("get a"), says("ping"), says("hget a b"), says("help zcard"), says("subscribe x"), says("get 'a"), says("exit")}})
	assert.Regexp(t, `^OK\n\d+\.\d\d ms, 1 command billed\n"x y"\n.* 1 command billed\nPONG\n.* not billed\n\(error\) WRONGTYPE .*\n.* billed if it ran: .*\nZCARD key\n4 commands, 3 billed\n$`, out)
	assert.Contains(t, errs, "use restash subscribe")
	assert.Contains(t, errs, "unbalanced quotes")
}

func TestCLIGoesOnWhenTheServerComesBack(t *testing.T) {
	server, err := upstashtest.New(upstashtest.Config{Token: "t"})
	require.NoError(t, err)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	unsetRedis(t)
	t.Setenv(urlVariable, server.URL)
	t.Setenv(tokenVariable, "t")
	var second *upstashtest.Server
	person := &typist{lines: []func() string{
		says("set a 1"),
		func() string { assert.NoError(t, server.Close()); return "get a" },
		func() string {
			second, err = upstashtest.New(upstashtest.Config{Token: "t", Addr: at.Host})
			assert.NoError(t, err)
			return "set a 2"
		},
		says("get a"),
	}}
	out, errs := cliAt(t, person)
	if second != nil {
		defer second.Close()
	}
	assert.Contains(t, errs, "restash serve", "what to do next")
	assert.Equal(t, at.Host+"> ", person.labels[0])
	assert.Equal(t, at.Host+" (not answering)> ", person.labels[2])
	assert.Equal(t, at.Host+"> ", person.labels[3])
	assert.Contains(t, out, "\"2\"\n")
}

func TestCLIWithoutATerminalIsForScripts(t *testing.T) {
	database(t)
	r := restashWith(t, t.Context(), "set a 1\nget a\n", "cli", "--history", "-")
	assert.Zero(t, r.status)
	assert.Equal(t, "OK\n1\n", r.out)
	r = restashWith(t, t.Context(), "hget a b\nget a\n", "cli", "--history", "-")
	assert.Equal(t, exitFailed, r.status, "a command failed")
	assert.Contains(t, r.out, "1\n", "and did not stop the next")
}

// keyboard types, and keeps what the screen shows.
type keyboard struct {
	io.Reader
	screen strings.Builder
}

func (k *keyboard) Write(p []byte) (int, error) { return k.screen.Write(p) }

func TestTerminalPromptCompletesAndRemembers(t *testing.T) {
	keys := &keyboard{Reader: strings.NewReader("zcar\tkey\r" + "\x1b[A\r" + "set a\t\r")}
	p := newTerminalPrompt(keys, shell.OpenHistory(""))
	line, err := p.read("db> ")
	require.NoError(t, err)
	assert.Equal(t, "zcard key", line)
	line, err = p.read("db> ")
	require.NoError(t, err)
	assert.Equal(t, "zcard key", line, "the arrow brings the last line back")
	line, err = p.read("db> ")
	require.NoError(t, err)
	assert.Equal(t, "set a", line)
	assert.Contains(t, keys.screen.String(), "SET key value [options ...]")
	_, err = p.read("db> ")
	assert.True(t, errors.Is(err, io.EOF))
}
