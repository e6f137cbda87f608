package client

import (
	"github.com/cldcde/restash/client/command"
)

// effectOnly is what commands have that do not mind a reply of a second run.
type effectOnly interface{ EffectOnly() bool }

// markRepeated marks replies that may be those of a second run and do not tell
// what the first one did. The first one's answer was lost: that is doubt.
func (x *exchange) markRepeated(cmd command.Cmd, r *command.Reply) {
	if x.doubt {
		markRepeated(cmd, r)
	}
}

func markRepeated(cmd command.Cmd, r *command.Reply) {
	if cmd.ReadOnly() {
		return
	}
	if e, ok := cmd.(effectOnly); ok && e.EffectOnly() {
		return
	}
	r.Repeated = ambiguous(cmd.Name(), *r)
}

// ambiguous reports whether a write's reply differs between its first and its
// second run. What counts changes says 0 the second time; an error may have come
// up in between.
func ambiguous(name string, r command.Reply) bool {
	switch r.Kind {
	case command.KindError, command.KindNil:
		return true
	case command.KindInt:
		return r.Int <= 0 || name == "SETBIT" // which answers the bit before it
	case command.KindArray:
		for _, e := range r.Array {
			if ambiguous(name, e) {
				return true
			}
		}
	}
	return false
}

// settle adds the doubt of a repeated reply to what came of decoding it.
func (x *exchange) settle(err error) error {
	if !x.one.Repeated {
		return err
	}
	if e, ok := err.(*Error); ok { // a nil reply
		e.repeated = true
		return e
	}
	return repeatedError(x.name, x.status, x.attempts)
}
