package engine_test

import (
	"context"
	"fmt"

	"github.com/cldcde/restash/upstashtest/internal/engine"
)

func ExampleEngine_Do() {
	e, err := engine.New(engine.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = e.Close() }()
	ctx := context.Background()
	for _, args := range [][]string{
		{"JSON.SET", "doc", "$", `{"name":"Ada","langs":["go"]}`},
		{"JSON.ARRAPPEND", "doc", "$.langs", `"lua"`},
		{"JSON.GET", "doc", "$.langs"},
		{"EVAL", "return redis.call('JSON.GET', KEYS[1], '.name')", "1", "doc"},
	} {
		r, err := e.Do(ctx, args)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(show(r.Reply))
	}
	// Output:
	// OK
	// [(integer) 2]
	// "[[\"go\",\"lua\"]]"
	// "\"Ada\""
}
