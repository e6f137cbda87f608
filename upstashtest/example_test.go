package upstashtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
)

// start is what a test would write as upstashtest.Run(t).
func start(cfg upstashtest.Config) (*upstashtest.Server, *client.Client) {
	cfg.InMemory = true
	srv, err := upstashtest.New(cfg)
	if err != nil {
		panic(err)
	}
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	if err != nil {
		panic(err)
	}
	return srv, c
}

// A unit test: the code under test talks to a server of its own, and the test
// looks into the database behind its back.
func ExampleNew_unitTest() {
	srv, c := start(upstashtest.Config{})
	defer func() { _ = srv.Close() }()
	ctx := context.Background()

	if _, err := c.Set(ctx, "greeting", "hello", command.EX(time.Minute)); err != nil {
		fmt.Println(err)
	}
	r, err := srv.Do("TTL", "greeting")
	fmt.Println(r.Int, err)

	srv.FastForward(time.Minute)
	_, err = c.Get(ctx, "greeting")
	fmt.Println(errors.Is(err, client.ErrNil))
	// Output:
	// 60 <nil>
	// true
}

// A fault test: the third request is executed, but its answer is lost. A
// counter must then not be counted twice.
func ExampleServer_Faults() {
	srv, c := start(upstashtest.Config{})
	defer func() { _ = srv.Close() }()
	ctx := context.Background()

	srv.Faults(1, upstashtest.Fault{Do: upstashtest.ResetAfter(), Skip: 2, Times: 1})
	failed := 0
	for range 4 {
		if _, err := c.Incr(ctx, "visits"); err != nil {
			failed++
		}
	}
	n, err := c.Get(ctx, "visits")
	fmt.Println(n, failed, err)
	// Output: 4 1 <nil>
}

// A bill test: the same reads cost three commands in three round trips one by
// one, and one command in one trip together.
func ExampleServer_Bill() {
	srv, c := start(upstashtest.Config{})
	defer func() { _ = srv.Close() }()
	ctx := context.Background()

	before := srv.Bill()
	for _, key := range []string{"a", "b", "c"} {
		_, _ = c.Get(ctx, key)
	}
	each := srv.Bill().Sub(before)
	before = srv.Bill()
	_, _ = c.MGet(ctx, "a", "b", "c")
	together := srv.Bill().Sub(before)
	fmt.Println(each.Commands, each.Trips)
	fmt.Println(together.Commands, together.Trips)
	// Output:
	// 3 3
	// 1 1
}

// The quota of a plan, with the words of the service.
func ExampleLimits() {
	srv, c := start(upstashtest.Config{Limits: upstashtest.Limits{Daily: 2}})
	defer func() { _ = srv.Close() }()
	for range 3 {
		_, err := c.Incr(context.Background(), "n")
		fmt.Println(errors.Is(err, client.ErrQuota))
	}
	// Output:
	// false
	// false
	// true
}

// Interceptors see each request first.
func ExampleServer_Intercept() {
	srv, c := start(upstashtest.Config{})
	defer func() { _ = srv.Close() }()
	remove := srv.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		fmt.Println(r.Method, r.URL.Path)
		next.ServeHTTP(w, r)
	})
	_, _ = c.Incr(context.Background(), "n")
	remove()
	_, _ = c.Incr(context.Background(), "n")
	// Output: POST /
}

// Without any server: a responder that always answers the same.
func ExampleReply() {
	respond := upstashtest.Reply("Ada")
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://example.upstash.io", strings.NewReader(`["GET","name"]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := respond(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	fmt.Println(res.StatusCode, res.ContentLength)
	// Output: 200 16
}
