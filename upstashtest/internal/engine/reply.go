package engine

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// Reply is the client's reply type: kinds nil, integer, bulk, status, array and error.
type Reply = command.Reply

var nilReply = Reply{Kind: command.KindNil}

func intReply(n int64) Reply { return Reply{Kind: command.KindInt, Int: n} }

func boolReply(b bool) Reply {
	if b {
		return intReply(1)
	}
	return intReply(0)
}

func bulk(s string) Reply { return Reply{Kind: command.KindBulk, Bytes: []byte(s)} }

func status(s string) Reply { return Reply{Kind: command.KindStatus, Bytes: []byte(s)} }

func okReply() Reply { return status("OK") }

func array(rs ...Reply) Reply { return Reply{Kind: command.KindArray, Array: rs} }

func bulks(ss []string) Reply {
	rs := make([]Reply, len(ss))
	for i, s := range ss {
		rs[i] = bulk(s)
	}
	return array(rs...)
}

// errorReply is an error reply; a line break would end it early in RESP.
func errorReply(text string) Reply {
	return Reply{Kind: command.KindError, Bytes: []byte(strings.NewReplacer("\r", " ", "\n", " ").Replace(text))}
}

func errorf(format string, a ...any) Reply { return errorReply(fmt.Sprintf(format, a...)) }

func isError(r Reply) bool { return r.Kind == command.KindError }

func isNil(r Reply) bool { return r.Kind == command.KindNil }

func text(r Reply) string { return string(r.Bytes) }

// texts returns the elements of an array of strings.
func texts(r Reply) []string {
	ss := make([]string, len(r.Array))
	for i, e := range r.Array {
		ss[i] = string(e.Bytes)
	}
	return ss
}

const (
	msgWrongType  = "WRONGTYPE Operation against a key holding the wrong kind of value"
	msgSyntax     = "ERR syntax error"
	msgNotInt     = "ERR value is not an integer or out of range"
	msgNotFloat   = "ERR value is not a valid float"
	msgNoKey      = "ERR no such key"
	msgNoScript   = "NOSCRIPT No matching script. Please use EVAL."
	msgOutOfRange = "ERR index out of range"
)

func wrongArity(name string) Reply {
	return errorf("ERR wrong number of arguments for '%s' command", strings.ToLower(strings.ReplaceAll(name, " ", "|")))
}

// Unavailable is Upstash's text for a command that it does not serve.
func Unavailable(name string) Reply {
	return errorf("ERR Command is not available: '%s'. See https://upstash.com/docs/redis/overall/rediscompatibility for details", name)
}

// ParseRESP reads one RESP2 reply from the front of b and returns what follows.
// The strings of the reply alias b.
func ParseRESP(b []byte) (Reply, []byte, error) {
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || len(line) == 0 {
		return Reply{}, nil, fmt.Errorf("engine: reply cut short")
	}
	body := line[1:]
	switch line[0] {
	case '+':
		return Reply{Kind: command.KindStatus, Bytes: body}, rest, nil
	case '-':
		return Reply{Kind: command.KindError, Bytes: body}, rest, nil
	case ':':
		n, err := strconv.ParseInt(string(body), 10, 64)
		return intReply(n), rest, err
	case '$':
		return parseBulk(body, rest)
	case '*':
		return parseArray(body, rest)
	}
	return Reply{}, nil, fmt.Errorf("engine: unknown reply type %q", line[0])
}

func parseBulk(size, rest []byte) (Reply, []byte, error) {
	n, err := strconv.Atoi(string(size))
	if err != nil || n < 0 {
		return nilReply, rest, err
	}
	if len(rest) < n+2 {
		return Reply{}, nil, fmt.Errorf("engine: bulk reply cut short")
	}
	return Reply{Kind: command.KindBulk, Bytes: rest[:n:n]}, rest[n+2:], nil
}

func parseArray(size, rest []byte) (Reply, []byte, error) {
	n, err := strconv.Atoi(string(size))
	if err != nil || n < 0 {
		return nilReply, rest, err
	}
	r := Reply{Kind: command.KindArray, Array: make([]Reply, n)}
	for i := range n {
		if r.Array[i], rest, err = ParseRESP(rest); err != nil {
			return Reply{}, nil, err
		}
	}
	return r, rest, nil
}

func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// orZero is the error, or 0 for a key that is not there.
func orZero(bad Reply) Reply {
	if isError(bad) {
		return bad
	}
	return intReply(0)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
