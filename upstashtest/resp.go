package upstashtest

import (
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// Value is a reply of Redis, for those who write an [Engine]: another name of
// [command.Reply].
type Value = command.Reply

// ErrorValue is an error reply with this text.
func ErrorValue(text string) Value {
	return Value{Kind: command.KindError, Bytes: []byte(text)}
}

// ParseRESP reads one RESP2 reply from the front of b and returns what
// follows. The reply's strings alias b.
func ParseRESP(b []byte) (v Value, rest []byte, err error) { return engine.ParseRESP(b) }

// Served reports whether REST serves the command, and if not, the error
// reply. An [Engine] in front of a real Redis lets nothing else through.
func Served(args []string) (Value, bool) {
	if r := engine.Check(args); r.Kind == command.KindError {
		return r, false
	}
	in, _ := engine.Lookup(args)
	switch in.Name {
	case "SUBSCRIBE", "PSUBSCRIBE", "MONITOR":
		return engine.Unavailable(in.Name), false
	}
	return Value{}, true
}
