package command

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNil is what a command with a plain reply type returns when Redis
// answered nil: the key, the field or the member does not exist.
var ErrNil = errors.New("command: nil reply")

// Cmd is what any [Command] is to code that sends it and leaves the reply to
// somebody else.
type Cmd interface {
	Name() string
	Args() []string
	ReadOnly() bool
	Repeatable() bool
	Err() error
}

const (
	flagRead     uint8 = 1 << iota // changes nothing
	flagRepeat                     // sending it twice leaves the state of sending it once
	flagSub                        // the name has two words
	flagEffect                     // only what it leaves counts, not what it answers
	flagVerbatim                   // its reply is asked for as the bytes that it is
)

// Command is one Redis command whose reply is a T. It is immutable; the
// methods that change a property return a copy. The zero value has no name
// and fails when it is run.
type Command[T any] struct {
	args     []string
	decode   func(Reply) (T, error)
	err      error
	fallback []string
	flags    uint8
}

var errNoName = errors.New("command: no name")

// New returns a command that this package does not know, such as one of a
// module. It counts as a write that must not be repeated unless it is marked
// with [Command.Read] or [Command.Repeat]. A name of two words, such as
// "XINFO STREAM", is sent as two arguments. decode must copy what it keeps of
// the reply.
func New[T any](decode func(Reply) (T, error), name string, args ...string) Command[T] {
	words := strings.Fields(name)
	c := Command[T]{decode: decode}
	switch len(words) {
	case 0:
		c.err = errNoName
	case 1:
	case 2:
		c.flags = flagSub
	default:
		c.err = fmt.Errorf("command: name %q has more than two words", name)
	}
	c.args = append(words, args...)
	return c
}

// Raw returns a command whose reply is handed over as it came. Arguments are
// converted as values are, see [Text]. It is the way to commands that this
// package does not offer; whether the server takes them is the server's
// affair. Like [New] it counts as a write that must not be repeated.
func Raw(name string, args ...any) Command[Reply] {
	c := New(rawReply, name)
	for _, a := range args {
		c = c.value(a)
	}
	return c
}

// Name returns the name of the command in upper case, both words if it has
// two.
func (c Command[T]) Name() string {
	switch {
	case len(c.args) == 0:
		return ""
	case c.flags&flagSub != 0 && len(c.args) > 1:
		return strings.ToUpper(c.args[0] + " " + c.args[1])
	}
	return strings.ToUpper(c.args[0])
}

// Args returns the words of the command, name first. The slice must not be
// changed.
func (c Command[T]) Args() []string { return c.args }

// ReadOnly reports whether the command changes nothing.
func (c Command[T]) ReadOnly() bool { return c.flags&flagRead != 0 }

// Repeatable reports whether running the command twice leaves what running it
// once does, so that it may be sent again when the fate of the first attempt
// is unknown. The second reply may differ: a repeated DEL answers 0.
func (c Command[T]) Repeatable() bool { return c.flags&flagRepeat != 0 }

// Err returns what was wrong with the arguments, or nil.
func (c Command[T]) Err() error {
	if c.err == nil && len(c.args) == 0 {
		return errNoName
	}
	return c.err
}

// Decode turns the reply into a T. A reply of [KindError] gives a
// [ServerError].
func (c Command[T]) Decode(r Reply) (T, error) {
	var zero T
	if r.Kind == KindError {
		return zero, ServerError(r.Bytes)
	}
	if c.decode == nil {
		return zero, fmt.Errorf("%w: command without a decoder", ErrReply)
	}
	return c.decode(r)
}

// Read marks the command as one that changes nothing, which also makes it
// repeatable.
func (c Command[T]) Read() Command[T] {
	c.flags |= flagRead | flagRepeat
	return c
}

// Repeat marks the command as a write that may be sent twice.
func (c Command[T]) Repeat() Command[T] {
	c.flags = c.flags&^flagRead | flagRepeat
	return c
}

// Once marks the command as one that the transport must never send again on
// its own, also where its kind would allow that.
func (c Command[T]) Once() Command[T] {
	c.flags &^= flagRepeat
	return c
}

// Verbatim asks for the reply as the bytes that it is, whatever encoding the
// client asks for otherwise: in RESP2, which neither codes nor escapes them.
func (c Command[T]) Verbatim() Command[T] {
	c.flags |= flagVerbatim
	return c
}

// IsVerbatim reports whether [Command.Verbatim] was asked for.
func (c Command[T]) IsVerbatim() bool { return c.flags&flagVerbatim != 0 }

// ForEffect says that what the command leaves counts and not what it answers:
// then a reply that may be that of a second run is no error.
func (c Command[T]) ForEffect() Command[T] {
	c.flags |= flagEffect
	return c
}

// EffectOnly reports whether [Command.ForEffect] was called.
func (c Command[T]) EffectOnly() bool { return c.flags&flagEffect != 0 }

// Fallback returns the command to send in its place when the server answers
// NOSCRIPT, and whether there is one. Commands made from a [Script] have it.
func (c Command[T]) Fallback() (Cmd, bool) {
	if c.fallback == nil {
		return nil, false
	}
	c.args, c.fallback = c.fallback, nil
	return c, true
}

// read, write and repeat are how the constructors of this package say, once,
// what kind of command they make. The words are args, name first. The
// generator reads the name and the kind from these calls.
func read[T any](decode func(Reply) (T, error), args ...string) Command[T] {
	return Command[T]{args: args, decode: decode, flags: flagRead | flagRepeat}
}

func write[T any](decode func(Reply) (T, error), args ...string) Command[T] {
	return Command[T]{args: args, decode: decode}
}

func repeat[T any](decode func(Reply) (T, error), args ...string) Command[T] {
	return Command[T]{args: args, decode: decode, flags: flagRepeat}
}

// readSub, writeSub and repeatSub are the same for names of two words.
func readSub[T any](decode func(Reply) (T, error), args ...string) Command[T] {
	return Command[T]{args: args, decode: decode, flags: flagRead | flagRepeat | flagSub}
}

func writeSub[T any](decode func(Reply) (T, error), args ...string) Command[T] {
	return Command[T]{args: args, decode: decode, flags: flagSub}
}

func repeatSub[T any](decode func(Reply) (T, error), args ...string) Command[T] {
	return Command[T]{args: args, decode: decode, flags: flagRepeat | flagSub}
}

// add appends words. The constructors own the slice until they return it.
func (c Command[T]) add(args ...string) Command[T] {
	c.args = append(c.args, args...)
	return c
}

// value appends a value, see [Text].
func (c Command[T]) value(v any) Command[T] {
	s, err := Text(v)
	if err != nil {
		return c.fail(err)
	}
	c.args = append(c.args, s)
	return c
}

func (c Command[T]) values(vs []any) Command[T] {
	for _, v := range vs {
		c = c.value(v)
	}
	return c
}

// fail keeps the first error of a construction.
func (c Command[T]) fail(err error) Command[T] {
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("command: %s: %w", c.Name(), err)
	}
	return c
}

// failIf is fail for a condition.
func (c Command[T]) failIf(bad bool, reason string) Command[T] {
	if bad {
		return c.fail(errors.New(reason))
	}
	return c
}

func rawReply(r Reply) (Reply, error) { return r, nil }
