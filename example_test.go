package restash_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// User is what the examples cache.
type User struct {
	Name string `json:"name"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// localRedis starts a local server and points the environment at it, as a
// deployment does with the real one.
func localRedis() (stop func()) {
	srv, err := upstashtest.New(upstashtest.Config{})
	check(err)
	check(os.Setenv("UPSTASH_REDIS_REST_URL", srv.URL))
	check(os.Setenv("UPSTASH_REDIS_REST_TOKEN", srv.Token))
	return func() {
		check(os.Unsetenv("UPSTASH_REDIS_REST_URL"))
		check(os.Unsetenv("UPSTASH_REDIS_REST_TOKEN"))
		check(srv.Close())
	}
}

// A typed cache in front of a database: read, write, invalidate.
func Example() {
	defer localRedis()()
	ctx := context.Background()
	loadUser := func(_ context.Context, key string) (User, error) {
		fmt.Println("the database is asked for", key)
		return User{Name: "Ada"}, nil
	}
	saveUser := func(_ context.Context, u User) (User, error) { return u, nil } // what the database made of it

	c, err := client.FromEnv() // UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
	check(err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{}) // one per process
	check(err)
	users := strategies.New[User](store, strategies.Config{
		Name: "user", TTL: 5 * time.Minute, StaleWhileRevalidate: time.Minute, Tags: []string{"users"},
	})
	ada, err := users.Get(ctx, "ada", loadUser, strategies.Tags("team:7"))
	check(err)
	err = users.WriteThrough(ctx, "ada", ada, saveUser)
	if err != nil && !errors.Is(err, strategies.ErrPending) { // pending: saved, but others may read the old value for a while
		check(err)
	}

	_, err = store.Invalidate(ctx, invalidate.Tags("team:7"), invalidate.Key(users, "ada"))
	check(err)

	ada, err = users.Get(ctx, "ada", loadUser, strategies.Tags("team:7"))
	check(err)
	fmt.Println(ada.Name)
	// Output:
	// the database is asked for ada
	// the database is asked for ada
	// Ada
}

// Whole HTTP answers: one entry for all spellings of a request.
func Example_handler() {
	defer localRedis()()
	c, err := client.FromEnv()
	check(err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Executor: strategies.Inline(strategies.DefaultInline)})
	check(err)
	mux := http.NewServeMux()
	listExtensions := func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("the database is asked")
		fmt.Fprintln(w, "[]")
	}

	list := handler.Cache(store, handler.Config{
		Prefix: "list", TTL: time.Hour, StaleWhileRevalidate: 5 * time.Minute,
		Tags: []string{"extensions"}, Query: handler.Query{"page": "1", "sort": "downloads"}, Public: true,
	})
	mux.Handle("GET /list", list(http.HandlerFunc(listExtensions)))
	mux.Handle("GET /api/cache/metrics", ops.Metrics(store))

	for _, path := range []string{"/list", "/list?sort=downloads", "/list?page=1&sort=downloads"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(w.Header().Get("X-Cache"))
	}
	// Output:
	// the database is asked
	// MISS
	// HIT
	// HIT
}

// Redis is gone: the loader still answers, and the breaker stops asking.
func Example_redisIsDown() {
	srv, err := upstashtest.New(upstashtest.Config{})
	check(err)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	check(err)
	check(srv.Close())
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: slog.New(slog.DiscardHandler)})
	check(err)
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Minute})
	for range 6 {
		ada, err := users.Get(context.Background(), "ada", func(context.Context, string) (User, error) {
			return User{Name: "Ada"}, nil
		})
		check(err)
		fmt.Println(ada.Name, store.Stats().Breaker)
	}
	// Output:
	// Ada closed
	// Ada closed
	// Ada closed
	// Ada closed
	// Ada open
	// Ada open
}

// Code that is tested with httpmock needs no server at all.
func Example_httpmock() {
	transport := httpmock.NewMockTransport()
	transport.RegisterResponder(http.MethodPost, "https://mock.upstash.io/", upstashtest.Reply("Ada"))
	c, err := client.New(client.Config{
		URL: "https://mock.upstash.io", Token: "any", HTTPClient: &http.Client{Transport: transport},
	})
	check(err)
	name, err := c.Get(context.Background(), "user:1")
	fmt.Println(name, err)
	// Output: Ada <nil>
}

// A fault test: what does your code do when Upstash answers 429?
func Example_faults() {
	srv, err := upstashtest.New(upstashtest.Config{})
	check(err)
	defer srv.Close()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, MaxRetries: client.NoRetry})
	check(err)
	ctx := context.Background()

	heal := srv.Faults(1, upstashtest.Fault{Do: upstashtest.Status(429, `{"error":"ERR max requests limit exceeded"}`)})
	_, err = c.Get(ctx, "user:1")
	fmt.Println(errors.Is(err, client.ErrQuota), client.Unavailable(err))
	heal()

	_, err = c.Get(ctx, "user:1")
	fmt.Println(errors.Is(err, client.ErrNil))
	// Output:
	// true true
	// true
}

// A bill test: what does a hit cost?
func Example_bill() {
	srv, err := upstashtest.New(upstashtest.Config{})
	check(err)
	defer srv.Close()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	check(err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	check(err)
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Minute})
	load := func(context.Context, string) (User, error) { return User{Name: "Ada"}, nil }
	ctx := context.Background()
	_, err = users.Get(ctx, "ada", load)
	check(err)
	check(store.Flush(ctx)) // what is stored behind the answer

	before := srv.Bill()
	_, err = users.Get(ctx, "ada", load)
	check(err)
	spent := srv.Bill().Sub(before)
	fmt.Println(spent.Commands, "command in", spent.Trips, "round trip")
	// Output: 1 command in 1 round trip
}
