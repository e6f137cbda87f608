package client

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/base64"
)

// maxDepth bounds the nesting of replies: the scanner is recursive.
const maxDepth = 128

// maxReserve bounds what is reserved for an array before it was read.
const maxReserve = 1 << 16

// scanOne reads the answer to a single command.
func scanOne(body []byte, coded bool) (command.Reply, error) {
	s := scanner{data: body, coded: coded}
	r, err := s.envelope()
	if err == nil {
		err = s.end()
	}
	return r, err
}

// scanBatch reads the answer to a batch of n commands: an array of envelopes,
// or one envelope with the error that refused the batch as a whole, which is
// returned as refused.
func scanBatch(body []byte, n int, coded bool) (replies []command.Reply, refused *command.Reply, err error) {
	s := scanner{data: body, coded: coded}
	if s.space() == '{' {
		r, err := s.envelope()
		if err == nil {
			err = s.end()
		}
		if err == nil && r.Kind != command.KindError {
			err = errSyntax
		}
		if err != nil {
			return nil, nil, err // never r: what was read of it may be a stored value
		}
		return nil, &r, nil
	}
	if !s.take('[') {
		return nil, nil, errSyntax
	}
	replies = make([]command.Reply, 0, n)
	if s.space() == ']' {
		s.pos++
		return replies, nil, s.end()
	}
	for {
		r, err := s.envelope()
		if err != nil {
			return nil, nil, err
		}
		replies = append(replies, r)
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			return nil, nil, errSyntax
		}
		return replies, nil, s.end()
	}
}

// envelope reads {"result": ...} or {"error": "..."}. An error wins over a
// result beside it; other fields are skipped.
func (s *scanner) envelope() (command.Reply, error) {
	if !s.take('{') {
		return command.Reply{}, errSyntax
	}
	var e envelope
	if s.take('}') {
		return e.reply()
	}
	for {
		if err := s.member(&e); err != nil {
			return command.Reply{}, err
		}
		switch {
		case s.take(','):
		case s.take('}'):
			return e.reply()
		default:
			return command.Reply{}, errSyntax
		}
	}
}

type envelope struct {
	result, failure     command.Reply
	hasResult, hasError bool
}

func (e *envelope) reply() (command.Reply, error) {
	switch {
	case e.hasError:
		return e.failure, nil
	case e.hasResult:
		return e.result, nil
	}
	return command.Reply{}, errEnvelope
}

// member reads one field of an envelope.
func (s *scanner) member(e *envelope) error {
	name, err := s.text()
	if err != nil {
		return err
	}
	if !s.take(':') {
		return errSyntax
	}
	switch string(name) {
	case "result":
		e.result, err = s.value(0)
		e.hasResult = true
	case "error":
		if s.space() != '"' { // null beside a result, as some servers send it
			return s.skip(0)
		}
		var text []byte
		text, err = s.text()
		e.failure = command.Reply{Kind: command.KindError, Bytes: text}
		e.hasError = true
	default:
		err = s.skip(0)
	}
	return err
}

// value reads a reply.
func (s *scanner) value(depth int) (command.Reply, error) {
	switch c := s.space(); {
	case c == '"':
		return s.bulk()
	case c == '[':
		return s.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 'n':
		return command.Reply{}, s.word("null")
	case c == 't':
		return command.Reply{Kind: command.KindInt, Int: 1}, s.word("true")
	case c == 'f':
		return command.Reply{Kind: command.KindInt}, s.word("false")
	}
	return command.Reply{}, errSyntax
}

// bulk reads a string: base64, or the literal OK, which is never valid base64
// with padding.
func (s *scanner) bulk() (command.Reply, error) {
	text, err := s.text()
	if err != nil {
		return command.Reply{}, err
	}
	if string(text) == "OK" {
		return command.Reply{Kind: command.KindStatus, Bytes: text}, nil
	}
	if !s.coded {
		return command.Reply{Kind: command.KindBulk, Bytes: text}, nil
	}
	value, ok := base64.Decode(text)
	if !ok {
		return command.Reply{}, errBase64
	}
	return command.Reply{Kind: command.KindBulk, Bytes: value}, nil
}

func (s *scanner) array(depth int) (command.Reply, error) {
	if depth >= maxDepth {
		return command.Reply{}, errTooDeep
	}
	s.pos++
	out := command.Reply{Kind: command.KindArray}
	if s.take(']') {
		return out, nil
	}
	out.Array = make([]command.Reply, 0, min(s.elements(), maxReserve))
	for {
		r, err := s.value(depth + 1)
		if err != nil {
			return command.Reply{}, err
		}
		out.Array = append(out.Array, r)
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			return command.Reply{}, errSyntax
		}
		return out, nil
	}
}

// elements counts the elements of the array that begins at pos, up to its end
// or to where it becomes nested: from there on it is a guess.
func (s *scanner) elements() int {
	n := 1
	for i := s.pos; i < len(s.data); i++ {
		switch s.data[i] {
		case ',':
			n++
		case ']', '[':
			return n
		case '"':
			end := bytes.IndexByte(s.data[i+1:], '"')
			if end < 0 {
				return n
			}
			i += end + 1
		}
	}
	return n
}

// number reads an integer exactly. Anything else that JSON calls a number is
// kept as its text.
func (s *scanner) number() (command.Reply, error) {
	start := s.pos
	for s.pos < len(s.data) && isNumeric(s.data[s.pos]) {
		s.pos++
	}
	text := s.data[start:s.pos:s.pos]
	if n, ok := integer(text); ok {
		return command.Reply{Kind: command.KindInt, Int: n}, nil
	}
	if _, err := strconv.ParseFloat(string(text), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
		return command.Reply{}, errSyntax
	}
	return command.Reply{Kind: command.KindBulk, Bytes: text}, nil
}

func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// integer parses a decimal int64 and reports whether text is one.
func integer(text []byte) (int64, bool) {
	digits, negative := text, false
	if len(digits) > 0 && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	switch {
	case negative && n <= 1<<63:
		return -int64(n), true
	case !negative && n < 1<<63:
		return int64(n), true
	}
	return 0, false
}

// skip passes over a value of any kind.
func (s *scanner) skip(depth int) error {
	if depth >= maxDepth {
		return errTooDeep
	}
	switch c := s.space(); {
	case c == '"':
		_, err := s.text()
		return err
	case c == '{' || c == '[':
		return s.skipInside(c, depth)
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.number()
		return err
	}
	_, err := s.value(depth)
	return err
}

func (s *scanner) skipInside(open byte, depth int) error {
	s.pos++
	end := open + 2 // '}' and ']' are two after '{' and '['
	if s.take(end) {
		return nil
	}
	for {
		if open == '{' {
			if _, err := s.text(); err != nil {
				return err
			}
			if !s.take(':') {
				return errSyntax
			}
		}
		if err := s.skip(depth + 1); err != nil {
			return err
		}
		if s.take(',') {
			continue
		}
		if !s.take(end) {
			return errSyntax
		}
		return nil
	}
}

func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(w)) {
		return errSyntax
	}
	s.pos += len(w)
	return nil
}

func (s *scanner) end() error {
	if s.space() != 0 || s.pos < len(s.data) {
		return errTrailing
	}
	return nil
}
