package lua_test

import (
	"context"
	"fmt"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/lua"
)

func ExampleMachine_Run() {
	m := lua.New(10_000)
	defer m.Close()
	call := func(args []string) command.Reply {
		return command.Reply{Kind: command.KindBulk, Bytes: []byte("value of " + args[1])}
	}
	for _, source := range []string{"return redis.call('GET', KEYS[1])", "while true do end"} {
		s, err := lua.Parse(source)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", m.Run(context.Background(), s, []string{"k"}, nil, call).Bytes)
	}
	// Output:
	// value of k
	// ERR Error running script: it was stopped because it did not end
}
