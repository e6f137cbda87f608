package command

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what a [Reply] is.
type Kind uint8

// The kinds of reply that the REST interface has: those of RESP2.
const (
	KindNil    Kind = iota // no value
	KindInt                // Int
	KindBulk               // Bytes, any bytes
	KindStatus             // Bytes, such as OK; over JSON only OK itself is told apart
	KindArray              // Array
	KindError              // Bytes, the error's text
)

var kindNames = [...]string{"nil", "int", "bulk", "status", "array", "error"}

// String returns the name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Reply is one reply of the server, decoded but not interpreted. Bytes may
// alias the body of the HTTP answer: copy what you keep.
type Reply struct {
	Bytes []byte
	Array []Reply
	Int   int64
	Kind  Kind
	// Repeated says that the command ran again because the first answer was
	// lost, and that this reply does not tell whether the first run had the
	// effect.
	Repeated bool
}

// Maybe is a value that may be absent where absence is an ordinary answer,
// such as an element of MGET. OK is false if Redis answered nil.
type Maybe[T any] struct {
	Value T
	OK    bool
}

// OK is the reply of a command that says no more than that it was done. The
// methods of such commands return an error only.
type OK struct{}

// ServerError is the text of an error reply. The client turns it into its own
// error type.
type ServerError string

// Error returns the text.
func (e ServerError) Error() string { return string(e) }

// Code returns the first word if it is in upper case, such as WRONGTYPE, and
// "" otherwise. Nothing else of the text should be relied on: Upstash and
// Redis word the same error differently.
func (e ServerError) Code() string {
	word, _, _ := strings.Cut(string(e), " ")
	for i := range len(word) {
		if b := word[i]; (b < 'A' || b > 'Z') && b != '_' && (i == 0 || b < '0' || b > '9') {
			return ""
		}
	}
	return word
}

// mismatch is the error of a decoder that expected something else. It names
// kinds only, never content.
func mismatch(want string, r Reply) error {
	if r.Kind == KindError {
		return ServerError(r.Bytes)
	}
	return fmt.Errorf("%w: want %s, got %s", ErrReply, want, r.Kind)
}

// ErrReply is wrapped by the error of a decoder that met a reply of another
// shape than the command promises.
var ErrReply = errors.New("command: unexpected reply")
