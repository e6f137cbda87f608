package upstashtest

import (
	"fmt"

	"github.com/cldcde/restash/client/command"
)

// refusal is why a command is not run. A zero one means that it is.
type refusal struct {
	text   string
	status int
}

func (r refusal) reply() command.Reply {
	return command.Reply{Kind: command.KindError, Bytes: []byte(r.text)}
}

func refuse(status int, format string, a ...any) refusal {
	return refusal{fmt.Sprintf(format, a...), status}
}
