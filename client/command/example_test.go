package command_test

import (
	"fmt"
	"time"

	"github.com/cldcde/restash/client/command"
)

func Example() {
	set := command.Set("user:1", map[string]string{"name": "Ada"}, command.EX(time.Minute), command.NX())
	fmt.Println(set.Args(), set.Repeatable())

	wrong := command.Set("user:1", "x", command.EX(time.Minute), command.KeepTTL())
	fmt.Println(wrong.Err())
	// Output:
	// [SET user:1 {"name":"Ada"} EX 60 NX] false
	// command: SET: EX and KEEPTTL exclude each other
}

// A command that this package does not offer, with a reply type of its own.
func ExampleNew() {
	card := func(key string) command.Command[bool] {
		return command.New(func(r command.Reply) (bool, error) { return r.Int > 100, nil }, "MODULE.CARD", key).Read()
	}
	large, err := card("k").Decode(command.Reply{Kind: command.KindInt, Int: 150})
	fmt.Println(large, err)
	// Output: true <nil>
}

func ExampleAs() {
	type user struct{ Name string }
	cmd := command.As[user](command.Get("user:1"))
	u, err := cmd.Decode(command.Reply{Kind: command.KindBulk, Bytes: []byte(`{"Name":"Ada"}`)})
	fmt.Println(u.Name, err)
	// Output: Ada <nil>
}

func ExampleNewScript() {
	limit := command.NewScript(`return redis.call("INCR", KEYS[1]) <= tonumber(ARGV[1])`).KeyLocked()
	cmd := command.RunScript[bool](limit, []string{"hits"}, 10)
	fmt.Println(cmd.Name(), len(limit.SHA()))
	// Output: EVALSHA 40
}
