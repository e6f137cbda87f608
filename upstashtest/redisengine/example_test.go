package redisengine_test

import (
	"context"
	"fmt"

	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// A Redis that is not there is an error when the engine is made, not later.
func ExampleNew() {
	engine, err := redisengine.New(context.Background(), "redis://127.0.0.1:1")
	if err != nil {
		fmt.Println("start a Redis first")
		return
	}
	server, err := upstashtest.New(upstashtest.Config{Engine: engine})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = server.Close() }()
	fmt.Println(server.URL)
	// Output: start a Redis first
}
