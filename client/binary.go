package client

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxPath bounds a command in path form: longer URLs are refused on the way.
const maxPath = 8 << 10

// binary prepares the path form for a command whose arguments JSON cannot
// carry: /NAME/arg/arg with one argument as the body, byte for byte. Where
// something follows that argument it goes into the query, which the server
// appends pair by pair; where that does not fit, the last argument is the
// body and the others are percent-encoded bytes.
func (x *exchange) binary(args []string) error {
	first, more := binaryAt(args)
	body, tail := first, args[first+1:]
	if more || first == 0 || len(tail)%2 != 0 {
		body, tail = len(args)-1, nil
	}
	if body < 1 || args[body] == "" {
		return x.cannotCarry("the last argument is empty")
	}
	var raw, plain strings.Builder
	raw.WriteString(x.url.EscapedPath())
	plain.WriteString(x.url.Path)
	for _, a := range args[:body] {
		if a == "" || a == "." || a == ".." {
			return x.cannotCarry("an argument beside the bytes cannot be part of a path")
		}
		raw.WriteString("/" + url.PathEscape(a))
		plain.WriteString("/" + a)
	}
	query := queryPairs(tail)
	if raw.Len()+len(query) > maxPath {
		return x.cannotCarry("the arguments beside the bytes are too long for a URL")
	}
	x.url.Path, x.url.RawPath, x.url.RawQuery = plain.String(), raw.String(), query
	x.body, x.raw = []byte(args[body]), true
	return nil
}

func (x *exchange) cannotCarry(why string) error {
	return &Error{Command: x.name, kind: ErrBinary, Err: fmt.Errorf("%w: %s", ErrBinary, why)}
}

// binaryAt finds the first argument that is not UTF-8, and whether there are
// more.
func binaryAt(args []string) (first int, more bool) {
	first = -1
	for i, a := range args {
		if utf8.ValidString(a) {
			continue
		}
		if first >= 0 {
			return first, true
		}
		first = i
	}
	return first, false
}

func queryPairs(args []string) string {
	var b strings.Builder
	for i := 0; i+1 < len(args); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(args[i]) + "=" + url.QueryEscape(args[i+1]))
	}
	return b.String()
}
