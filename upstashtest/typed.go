package upstashtest

import (
	"fmt"

	"github.com/cldcde/restash/client/command"
)

// Do runs a command at the server's engine, as [Server.Do] does, and returns
// its reply decoded:
//
//	names, err := upstashtest.Do(srv, command.SMembers("names"))
func Do[T any](s *Server, c command.Command[T]) (T, error) {
	var zero T
	if err := c.Err(); err != nil {
		return zero, fmt.Errorf("upstashtest: %w", err)
	}
	r, err := s.Do(c.Args()...)
	if err != nil {
		return zero, err
	}
	return c.Decode(r)
}
