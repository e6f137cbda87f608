package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/upstashtest"
	"github.com/jarcoal/httpmock"
)

// connect starts a local server and returns a client of it. In a program of
// your own this is client.FromEnv().
func connect() (*client.Client, func()) {
	srv, err := upstashtest.New(upstashtest.Config{})
	if err != nil {
		panic(err)
	}
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	if err != nil {
		panic(err)
	}
	return c, func() { _ = c.Close(); _ = srv.Close() }
}

func Example() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()

	ok, err := c.Set(ctx, "user:1", "Ada", command.EX(time.Minute), command.NX())
	fmt.Println(ok, err)
	name, err := c.Get(ctx, "user:1")
	fmt.Println(name, err)
	_, err = c.Get(ctx, "user:2")
	fmt.Println(errors.Is(err, client.ErrNil))
	// Output:
	// true <nil>
	// Ada <nil>
	// true
}

func ExampleFromEnv() {
	os.Unsetenv("UPSTASH_REDIS_REST_TOKEN")
	os.Setenv("UPSTASH_REDIS_REST_URL", "https://eu1-example-12345.upstash.io")
	defer os.Unsetenv("UPSTASH_REDIS_REST_URL")
	_, err := client.FromEnv()
	fmt.Println(err)
	// Output: client: UPSTASH_REDIS_REST_URL is set but UPSTASH_REDIS_REST_TOKEN is not
}

func ExampleDecode() {
	c, stop := connect()
	defer stop()
	type user struct{ Name string }
	ctx := context.Background()

	_, _ = c.Set(ctx, "user:1", user{Name: "Ada"}) // stored as JSON
	u, err := client.Decode[user](c.Get(ctx, "user:1"))
	fmt.Println(u.Name, err)
	// Output: Ada <nil>
}

// Several commands in one request; see package pipeline for more.
func ExampleClient_Batch() {
	c, stop := connect()
	defer stop()
	p := pipeline.New(c)
	hits := p.IncrBy("hits", 2)
	name := p.Get("missing")
	fmt.Println(p.Exec(context.Background()))
	n, err := hits.Value()
	fmt.Println(n, err)
	fmt.Println(errors.Is(name.Err(), client.ErrNil))
	// Output:
	// <nil>
	// 2 <nil>
	// true
}

func ExampleClient_Transaction() {
	c, stop := connect()
	defer stop()
	replies, err := c.Transaction(context.Background(), command.Set("a", 1), command.Incr("a"), command.LPush("a", "x"))
	fmt.Println(len(replies), err)
	fmt.Println(replies[1].Int)
	fmt.Println(errors.Is(client.ReplyError(command.LPush("a", "x"), replies[2]), client.ErrWrongType))
	// Output:
	// 3 <nil>
	// 2
	// true
}

func ExampleDo_script() {
	c, stop := connect()
	defer stop()
	// Make scripts once, in a package variable.
	limit := command.NewScript(`
		local n = redis.call("INCR", KEYS[1])
		if n == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
		return n`)
	for range 2 {
		n, err := client.Do(context.Background(), c, command.RunScript[int64](limit, []string{"hits:ada"}, 60_000))
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
}

// A command that the SDK does not know.
func ExampleDo_custom() {
	c, stop := connect()
	defer stop()
	encoding := func(key string) command.Command[bool] {
		return command.New(func(r command.Reply) (bool, error) { return r.Int == 1, nil }, "EXISTS", key).Read()
	}
	found, err := client.Do(context.Background(), c, encoding("k"))
	fmt.Println(found, err)
	_, err = client.Do(context.Background(), c, command.Raw("BLPOP", "list", 0))
	var e *client.Error
	fmt.Println(errors.As(err, &e), e.Command, e.Status)
	// Output:
	// false <nil>
	// true BLPOP 400
}

func ExampleClient_ScanAll() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()
	_ = c.MSet(ctx, map[string]any{"user:1": "Ada", "user:2": "Bob", "team:1": "x"})
	n := 0
	for key, err := range c.ScanAll(ctx, command.MATCH("user:*"), command.COUNT(100)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if key != "" {
			n++
		}
	}
	fmt.Println(n)
	// Output: 2
}

func ExampleClient_Subscribe() {
	ctx := context.Background()
	var c *client.Client
	srv, _ := upstashtest.New(upstashtest.Config{})
	defer srv.Close()
	c, _ = client.New(client.Config{URL: srv.URL, Token: srv.Token, Trace: &client.Trace{
		// The stream is open: only now can something be published to it.
		StreamOpen: func(context.Context, string) { go func() { _, _ = c.Publish(ctx, "news", "one, two") }() },
	}})
	defer c.Close()

	for m, err := range c.Subscribe(ctx, "news", "sport") {
		if errors.Is(err, client.ErrGap) {
			continue // interrupted and open again; what came meanwhile is lost
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Channel, m.Payload)
		break
	}
	// Output: news one, two
}

// The commands of callers that run at the same time share requests.
func ExampleConfig_coalesce() {
	srv, _ := upstashtest.New(upstashtest.Config{InMemory: true})
	defer srv.Close()
	c, _ := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient(), Coalesce: true})
	ctx := context.Background()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { _, _ = c.Incr(ctx, "hits") })
	}
	wg.Wait()
	n, err := c.Get(ctx, "hits")
	fmt.Println(n, err)
	// Output: 100 <nil>
}

// A unit test without any server. httpmock.Activate would change
// http.DefaultTransport, which a client does not use: give it a client of
// your own instead.
func ExampleConfig_httpmock() {
	hc := &http.Client{}
	httpmock.ActivateNonDefault(hc)
	defer httpmock.DeactivateAndReset()
	httpmock.RegisterResponder("POST", "https://test.upstash.io/", upstashtest.Reply("Ada"))

	c, _ := client.New(client.Config{URL: "https://test.upstash.io", Token: "t", HTTPClient: hc})
	name, err := c.Get(context.Background(), "user:1")
	fmt.Println(name, err, httpmock.GetTotalCallCount())
	// Output: Ada <nil> 1
}

// A test with a whole server in memory; in a test function use
// upstashtest.Run(t).
func ExampleConfig_upstashtest() {
	srv, _ := upstashtest.New(upstashtest.Config{InMemory: true})
	defer srv.Close()
	c, _ := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	n, err := c.Incr(context.Background(), "hits")
	fmt.Println(n, err, srv.Bill().Commands)
	// Output: 1 <nil> 1
}
