package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// cmd is a command whose reply is looked at here.
type cmd = command.Command[command.Reply]

func asIs(r command.Reply) (command.Reply, error) { return r, nil }

// mget asks for entries as they are: they need no base64, which would make them
// a third larger on the wire.
func mget(keys []string) cmd { return command.New(asIs, "MGET", keys...).Read().Verbatim() }

// setPX writes a value once: a repeated write of a token or an entry could
// undo what another writer did in between.
func setPX(key, value string, life time.Duration, cond ...string) cmd {
	args := append([]string{key, value, "PX", fmt.Sprint(max(life.Milliseconds(), 1))}, cond...)
	return command.New(asIs, "SET", args...).Once()
}

// Cost is what calls have sent: billed commands and HTTP round trips.
type Cost struct{ Commands, Trips int }

func (c *Cost) add(o Cost) { c.Commands += o.Commands; c.Trips += o.Trips }

// reply is the answer to one command: a Redis reply or a Redis error.
type reply struct {
	command.Reply
	err error
}

func firstError(replies []reply) error {
	for _, r := range replies {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// errOpen says that the breaker does not let a call through.
var errOpen = breaker.ErrOpen

// errBudget is the cause of a context that ran out of the Store's budget.
var errBudget = errors.New("strategies: the cache did not answer within the budget")

// Sizes of batches: at most chunkKeys keys, or so many that chunkBytes are
// expected, in one command.
const (
	chunkKeys  = 1000
	chunkBytes = 4 << 20
	warmKeys   = 500
)

// answered reports whether the error is a reply of Redis to the command, as
// opposed to a failure to ask.
func answered(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Code != "" && e.Sent == client.SentYes
}
