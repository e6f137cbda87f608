package upstashtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// Save writes all data to w as commands, one a line, that [Server.Load] reads.
// It needs the engine in memory. Functions, scripts and settings are no data.
func (s *Server) Save(w io.Writer) error {
	e, ok := s.engine.(interface{ Save() [][]string })
	if !ok {
		return errors.New("upstashtest: Save: this engine keeps its data itself")
	}
	out := bufio.NewWriter(w)
	for _, args := range e.Save() {
		for i, a := range args {
			if i > 0 {
				_ = out.WriteByte(' ') // Flush reports what fails
			}
			_, _ = out.WriteString(quoteWord(a))
		}
		_ = out.WriteByte('\n')
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("upstashtest: Save: %w", err)
	}
	return nil
}

// Load runs the commands that r holds, one a line, as redis-cli takes them:
// words between blanks, in double quotes with escapes (\n, \x00, \"), or in
// single quotes as they are. Empty lines and those that begin with # are
// skipped. It ends at the first command that fails and names its line. They
// are not billed.
func (s *Server) Load(r io.Reader) error {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("upstashtest: Load: %w", err)
		}
		if bad := s.loadLine(line); bad != nil {
			return fmt.Errorf("upstashtest: Load: line %d: %w", n, bad)
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (s *Server) loadLine(line string) error {
	args, err := splitWords(line)
	if err != nil || len(args) == 0 || strings.HasPrefix(args[0], "#") {
		return err
	}
	if no, ok := Served(args); !ok {
		return command.ServerError(no.Bytes)
	}
	_, err = s.Do(args...)
	return err
}

var errQuotes = errors.New("a quote is not closed, or something follows it at once")

// splitWords splits a line as redis-cli does.
func splitWords(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" {
			return words, nil
		}
		word, rest, err := oneWord(line)
		if err != nil {
			return nil, err
		}
		words, line = append(words, word), rest
	}
}

func oneWord(line string) (word, rest string, err error) {
	switch quote := line[0]; quote {
	case '"':
		return quotedWord(line)
	case '\'':
		word, rest, ok := strings.Cut(line[1:], "'")
		if !ok || rest != "" && !isBlank(rest[0]) {
			return "", "", errQuotes
		}
		return word, rest, nil
	}
	end := strings.IndexAny(line, " \t\r\n")
	if end < 0 {
		end = len(line)
	}
	return line[:end], line[end:], nil
}

func isBlank(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }

var wordEscapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'a': '\a'}

func quotedWord(line string) (word, rest string, err error) {
	var b []byte
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			if rest = line[i+1:]; rest != "" && !isBlank(rest[0]) {
				return "", "", errQuotes
			}
			return string(b), rest, nil
		case c != '\\' || i+1 == len(line):
			b = append(b, c)
		case line[i+1] == 'x' && i+3 < len(line):
			n, err := strconv.ParseUint(line[i+2:i+4], 16, 8)
			if err != nil {
				return "", "", errQuotes
			}
			b = append(b, byte(n))
			i += 3
		default:
			i++
			if escaped, ok := wordEscapes[line[i]]; ok {
				b = append(b, escaped)
				continue
			}
			b = append(b, line[i])
		}
	}
	return "", "", errQuotes
}

// quoteWord writes a word so that splitWords reads it back.
func quoteWord(s string) string {
	plain := s != "" && s[0] != '#' && s[0] != '\''
	for i := range len(s) {
		plain = plain && s[i] > ' ' && s[i] != '"' && s[i] != 0x7f
	}
	if plain {
		return s
	}
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
