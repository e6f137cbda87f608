// Command js is run by a host that has fetch and no sockets, as browsers and edge
// runtimes are: see TestJSWorksOverFetch.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/strategies"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	c, err := client.FromEnv()
	if err != nil {
		return err
	}
	if _, err := c.Set(ctx, "name", "Ada ä"); err != nil {
		return err
	}
	name, err := c.Get(ctx, "name")
	fmt.Println("get", name, err)

	p := pipeline.New(c)
	n, wrong := p.Incr("n"), p.LPush("name", 1)
	err = p.Exec(ctx)
	hits, _ := n.Value()
	fmt.Println("pipeline", hits, wrong.Err() != nil, err)

	store, err := strategies.NewStore(c, strategies.StoreConfig{Namespace: "js"})
	if err != nil {
		return err
	}
	cache := strategies.New[string](store, strategies.Config{Name: "greeting", TTL: time.Minute})
	for range 2 {
		var st strategies.Status
		v, err := cache.Get(ctx, "ada", func(context.Context, string) (string, error) { return "hello", nil }, strategies.Report(&st))
		fmt.Println("cache", v, st.State, err)
		if err := store.Flush(ctx); err != nil {
			return err
		}
	}
	return store.Close(ctx)
}
