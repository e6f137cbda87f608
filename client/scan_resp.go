package client

import (
	"bytes"

	"github.com/cldcde/restash/client/command"
)

// respOne reads one RESP2 reply that is the whole body.
func respOne(body []byte) (command.Reply, error) {
	r, rest, err := resp(body, 0)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	return r, err
}

// respBatch reads the replies to n commands. The documentation does not say
// how they are framed: one after another, or as one outer array. Both are
// taken; a single command is never sent as a batch in this format, so the two
// cannot be confused.
func respBatch(body []byte, n int) ([]command.Reply, error) {
	replies := make([]command.Reply, 0, n)
	for rest := body; len(rest) > 0; {
		r, after, err := resp(rest, 0)
		if err != nil {
			return nil, err
		}
		replies = append(replies, r)
		rest = after
	}
	if len(replies) == 1 && n != 1 && replies[0].Kind == command.KindArray {
		return replies[0].Array, nil
	}
	return replies, nil
}

// resp reads one reply and returns what follows it.
func resp(b []byte, depth int) (r command.Reply, rest []byte, err error) {
	line, rest, ok := respLine(b)
	if !ok {
		return r, nil, errSyntax
	}
	text := line[1:len(line):len(line)]
	switch line[0] {
	case '+':
		return command.Reply{Kind: command.KindStatus, Bytes: text}, rest, nil
	case '-':
		return command.Reply{Kind: command.KindError, Bytes: text}, rest, nil
	}
	n, ok := integer(text)
	if !ok {
		return r, nil, errSyntax
	}
	switch line[0] {
	case ':':
		return command.Reply{Kind: command.KindInt, Int: n}, rest, nil
	case '$':
		return respBulk(rest, n)
	case '*':
		return respArray(rest, n, depth)
	}
	return r, nil, errSyntax
}

// respLine cuts off the first line, which is never empty.
func respLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 2 || b[i-1] != '\r' {
		return nil, nil, false
	}
	return b[:i-1], b[i+1:], true
}

func respBulk(b []byte, n int64) (r command.Reply, rest []byte, err error) {
	if n == -1 {
		return r, b, nil
	}
	if n < 0 || n > int64(len(b))-2 || b[n] != '\r' || b[n+1] != '\n' {
		return r, nil, errSyntax
	}
	return command.Reply{Kind: command.KindBulk, Bytes: b[:n:n]}, b[n+2:], nil
}

func respArray(b []byte, n int64, depth int) (r command.Reply, rest []byte, err error) {
	if n == -1 {
		return r, b, nil
	}
	// No element is shorter than four bytes, such as ":1\r\n": a length that
	// the body cannot hold must not reserve memory.
	if n < 0 || n > int64(len(b))/4 {
		return r, nil, errSyntax
	}
	if depth >= maxDepth {
		return r, nil, errTooDeep
	}
	out := command.Reply{Kind: command.KindArray}
	if n > 0 {
		out.Array = make([]command.Reply, n)
	}
	rest = b
	for i := range out.Array {
		if out.Array[i], rest, err = resp(rest, depth+1); err != nil {
			return r, nil, err
		}
	}
	return out, rest, nil
}
