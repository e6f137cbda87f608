package warm_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
)

func ExampleRun() {
	ctx := context.Background()
	srv, err := upstashtest.New(upstashtest.Config{InMemory: true})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	if err != nil {
		panic(err)
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	if err != nil {
		panic(err)
	}
	defer store.Close(ctx)

	users := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
	load := func(_ context.Context, names []string) (map[string]string, error) {
		found := map[string]string{}
		for _, n := range names {
			found[n] = "profile of " + n
		}
		return found, nil
	}
	report, err := warm.Run(ctx, store, warm.Keys("top users", users, []string{"ada", "bob", "eve"}, load))
	fmt.Println(report, err)
	report, err = warm.Run(ctx, store, warm.Keys("top users", users, []string{"ada", "zoe"}, load))
	fmt.Println(report, err)
	// Output:
	// warmed 3, fresh 0, failed 0, commands 2, trips 2 <nil>
	// warmed 1, fresh 1, failed 0, commands 2, trips 2 <nil>
}
