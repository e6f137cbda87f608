package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/upstashtest"
)

// connect starts a server in memory and returns a client of it. In a program
// of your own this is client.FromEnv().
func connect() (*client.Client, func()) {
	srv, err := upstashtest.New(upstashtest.Config{InMemory: true})
	if err != nil {
		panic(err)
	}
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	if err != nil {
		panic(err)
	}
	return c, func() { _ = c.Close(); _ = srv.Close() }
}

func Example() {
	c, stop := connect()
	defer stop()
	p := pipeline.New(c)
	_ = p.Set("user:1", "Ada", command.EX(time.Minute))
	hits, name, none := p.Incr("hits"), p.Get("user:1"), p.Get("user:2")
	if err := p.Exec(context.Background()); err != nil {
		fmt.Println(err) // the batch as a whole failed
		return
	}
	n, _ := hits.Value()
	s, _ := name.Value()
	fmt.Println(n, s, errors.Is(none.Err(), client.ErrNil))
	// Output: 1 Ada true
}

func ExampleNewTx() {
	c, stop := connect()
	defer stop()
	tx := pipeline.NewTx(c)
	from, to := tx.DecrBy("account:1", 5), tx.IncrBy("account:2", 5)
	fmt.Println(tx.Exec(context.Background()))
	a, _ := from.Value()
	b, _ := to.Value()
	fmt.Println(a, b)
	// Output:
	// <nil>
	// -5 5
}

// Commands with a free reply type, and your own, are added by a function.
func ExampleAdd() {
	c, stop := connect()
	defer stop()
	type user struct{ Name string }
	p := pipeline.New(c)
	p.Set("user:1", user{"Ada"})
	r := pipeline.Add(p, command.As[user](command.Get("user:1")))
	_ = p.Exec(context.Background())
	u, err := r.Value()
	fmt.Println(u.Name, err)
	// Output: Ada <nil>
}

// Where any failure is the end of it, Exec returns the first one.
func ExampleFirstError() {
	c, stop := connect()
	defer stop()
	p := pipeline.New(c)
	p.Set("name", "Ada")
	p.LPush("name", 1)
	err := p.Exec(context.Background(), pipeline.FirstError())
	fmt.Println(errors.Is(err, client.ErrWrongType), err)
	// Output: true client: LPUSH: WRONGTYPE Operation against a key holding the wrong kind of value
}
