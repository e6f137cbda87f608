package upstashtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Texts of request bodies that cannot be read. The first two were seen on the
// real service; the others are ours.
var (
	errEOF      = errors.New("EOF")
	errNotArray = errors.New("expected JSON array")
	errNull     = errors.New("ERR null args are not supported")
	errBadJSON  = errors.New("ERR failed to parse command")
	errEmpty    = errors.New("ERR empty command")
	errNoBatch  = errors.New("ERR empty pipeline request")
	errTrailing = errors.New("ERR failed to parse command: data after the end")
)

// parser reads the two shapes of body that the protocol has: an array of
// arguments and an array of such arrays.
type parser struct {
	b []byte
	i int
}

// parseCommand reads one command.
func parseCommand(body []byte) ([]string, error) {
	p := parser{b: body}
	args, err := p.command()
	if err != nil {
		return nil, err
	}
	return args, p.end()
}

// parseBatch reads a list of commands.
func parseBatch(body []byte) ([][]string, error) {
	p := parser{b: body}
	if err := p.open(); err != nil {
		return nil, err
	}
	cmds := [][]string{}
	for more := p.first(); more; {
		args, err := p.command()
		if err != nil {
			return nil, err
		}
		cmds = append(cmds, args)
		if more, err = p.next(); err != nil {
			return nil, err
		}
	}
	if len(cmds) == 0 {
		return nil, errNoBatch
	}
	return cmds, p.end()
}

func (p *parser) command() ([]string, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	args := make([]string, 0, 4)
	for more := p.first(); more; {
		arg, err := p.scalar()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if more, err = p.next(); err != nil {
			return nil, err
		}
	}
	if len(args) == 0 {
		return nil, errEmpty
	}
	return args, nil
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// peek returns the next byte that is no blank, or 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.i == len(p.b) {
		return 0
	}
	return p.b[p.i]
}

func (p *parser) open() error {
	switch p.peek() {
	case '[':
		p.i++
		return nil
	case 0:
		return errEOF
	}
	return errNotArray
}

// first reports whether the array just opened has an element; if not, it is
// closed.
func (p *parser) first() bool {
	if p.peek() == ']' {
		p.i++
		return false
	}
	return true
}

// next steps over what follows an element and reports whether another does.
func (p *parser) next() (bool, error) {
	switch p.peek() {
	case ',':
		p.i++
		return true, nil
	case ']':
		p.i++
		return false, nil
	case 0:
		return false, errEOF
	}
	return false, errBadJSON
}

func (p *parser) end() error {
	if p.peek() != 0 || p.i != len(p.b) {
		return errTrailing
	}
	return nil
}

// scalar reads a string, number or boolean as text. Numbers keep their digits.
func (p *parser) scalar() (string, error) {
	switch c := p.peek(); c {
	case '"':
		return p.str()
	case '[', '{':
		return "", fmt.Errorf("ERR unsupported arg type: %q: json.Delim", string(c))
	case 0:
		return "", errEOF
	}
	start := p.i
	for p.i < len(p.b) && !bytes.ContainsRune([]byte(" \t\r\n,]}[{\":"), rune(p.b[p.i])) {
		p.i++
	}
	word := p.b[start:p.i]
	switch {
	case string(word) == "null":
		return "", errNull
	case !json.Valid(word):
		return "", errBadJSON
	}
	return string(word), nil
}

// str reads a string. Those with \u escapes, and those that are not UTF-8, take the
// slow way through encoding/json.
func (p *parser) str() (string, error) {
	start := p.i
	p.i++
	plain := true
	for ; p.i < len(p.b); p.i++ {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			if raw := p.b[start+1 : p.i-1]; plain && utf8.Valid(raw) {
				return unescape(raw), nil
			}
			var s string
			if err := json.Unmarshal(p.b[start:p.i], &s); err != nil {
				return "", errBadJSON
			}
			return s, nil
		case c == '\\':
			p.i++
			plain = plain && p.i < len(p.b) && escapes[p.b[p.i]] != 0
		case c < 0x20:
			return "", errBadJSON
		}
	}
	return "", errEOF
}

// escapes are what stands for one byte behind a backslash.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape undoes the escapes of one byte, of which values that are JSON themselves
// are full.
func unescape(raw []byte) string {
	var s strings.Builder
	s.Grow(len(raw))
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			s.Write(raw)
			return s.String()
		}
		s.Write(raw[:i])
		s.WriteByte(escapes[raw[i+1]])
		raw = raw[i+2:]
	}
}

// parsePath reads the path form: segments, then the body as it is, then the
// query's names and values in order, but for _token. Chosen, see FIDELITY.md:
// a name without a value is one argument.
func parsePath(escaped, query string, body []byte) ([]string, error) {
	var args []string
	for segment := range strings.SplitSeq(strings.Trim(escaped, "/"), "/") {
		arg, err := url.PathUnescape(segment)
		if err != nil {
			return nil, errBadJSON
		}
		args = append(args, arg)
	}
	if len(body) > 0 {
		args = append(args, string(body))
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, found := strings.Cut(pair, "=")
		if pair == "" || name == "_token" {
			continue
		}
		for _, part := range []string{name, value}[:1+btoi(found)] {
			arg, err := url.QueryUnescape(part)
			if err != nil {
				return nil, errBadJSON
			}
			args = append(args, arg)
		}
	}
	return args, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
