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

// A hash is read into a struct by its tags, as HSetStruct writes it.
func ExampleHSetStruct() {
	type user struct {
		Name string `redis:"name"`
		Age  int    `redis:"age"`
	}
	fmt.Println(command.HSetStruct("user:1", user{"Ada", 36}).Args())

	pair := func(s string) command.Reply { return command.Reply{Kind: command.KindBulk, Bytes: []byte(s)} }
	reply := command.Reply{Kind: command.KindArray, Array: []command.Reply{pair("name"), pair("Ada"), pair("age"), pair("36")}}
	u, err := command.As[user](command.HGetAll("user:1")).Decode(reply)
	fmt.Println(u.Name, u.Age, err)
	// Output:
	// [HSET user:1 name Ada age 36]
	// Ada 36 <nil>
}

func ExampleNewScript() {
	limit := command.NewScript(`return redis.call("INCR", KEYS[1]) <= tonumber(ARGV[1])`).KeyLocked()
	cmd := command.RunScript[bool](limit, []string{"hits"}, 10)
	fmt.Println(cmd.Name(), len(limit.SHA()))
	// Output: EVALSHA 40
}
