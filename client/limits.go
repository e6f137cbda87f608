package client

import (
	"fmt"

	"github.com/cldcde/restash/client/command"
)

// check returns the error of a command that must not be sent.
func (c *Client) check(name string, args []string, err error) error {
	if err != nil {
		return &Error{Command: name, Err: err}
	}
	l := c.cfg.Limits
	total := 0
	for _, a := range args {
		total += len(a)
		if over(len(a), l.Value) {
			return tooLarge(name, "value", len(a), l.Value)
		}
	}
	if over(total, l.Request) {
		return tooLarge(name, "request", total, l.Request)
	}
	if total <= l.Key || l.Key < 0 {
		return nil
	}
	for i := range command.KeyPositions(name, args) {
		if over(len(args[i]), l.Key) {
			return tooLarge(name, "key", len(args[i]), l.Key)
		}
	}
	return nil
}

func over(n, limit int) bool { return limit >= 0 && n > limit }

func tooLarge(name, what string, n, limit int) error {
	return &Error{
		Command: name, kind: ErrTooLarge,
		Err: fmt.Errorf("%s of %d bytes is over the limit of %d", what, n, limit),
	}
}
