package strategies_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// User is the value of the examples.
type User struct{ Name, Team string }

var database = map[string]User{"ada": {"Ada", "7"}, "bob": {"Bob", "7"}}

func loadUser(_ context.Context, name string) (User, error) {
	u, ok := database[name]
	if !ok {
		return User{}, strategies.ErrNotFound
	}
	return u, nil
}

func loadUsers(_ context.Context, names []string) (map[string]User, error) {
	found := map[string]User{}
	for _, n := range names {
		if u, ok := database[n]; ok {
			found[n] = u
		}
	}
	return found, nil
}

// open returns a Store on a server in this process, and what ends both.
func open() (*strategies.Store, func()) {
	srv, err := upstashtest.New(upstashtest.Config{InMemory: true})
	if err != nil {
		panic(err)
	}
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	if err != nil {
		panic(err)
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	if err != nil {
		panic(err)
	}
	return store, func() {
		_ = store.Close(context.Background())
		_ = c.Close()
		_ = srv.Close()
	}
}

func Example() {
	store, done := open()
	defer done()
	ctx := context.Background()
	users := strategies.New[User](store, strategies.Config{
		Name: "user", TTL: 5 * time.Minute, StaleWhileRevalidate: time.Minute, Tags: []string{"users"},
	})
	var st strategies.Status
	for range 2 {
		u, err := users.Get(ctx, "ada", loadUser, strategies.Tags("team:7"), strategies.Report(&st))
		fmt.Println(u.Name, err, st.State)
		_ = store.Flush(ctx) // what is stored behind the first answer
	}
	report, err := store.Invalidate(ctx, invalidate.Tags("team:7"), invalidate.Key(users, "ada"))
	fmt.Println(report.Commands, report.Trips, err)
	_, _ = users.Get(ctx, "ada", loadUser, strategies.Tags("team:7"), strategies.Report(&st))
	fmt.Println(st.State, st.Reason)
	// Output:
	// Ada <nil> MISS
	// Ada <nil> HIT
	// 1 1 <nil>
	// MISS invalidated
}

// spy is a Redis that tells what a Store sends through it.
type spy struct{ strategies.Redis }

func (s spy) Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error) {
	for _, c := range cmds {
		fmt.Println(c.Name(), len(c.Args())-1, "arguments")
	}
	return s.Redis.Batch(ctx, cmds...)
}

func ExampleRedis() {
	plain, done := open()
	defer done()
	store, err := strategies.NewStore(spy{plain.Client()}, strategies.StoreConfig{})
	if err != nil {
		panic(err)
	}
	defer store.Close(context.Background())
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Hour})
	_, _ = users.Get(context.Background(), "ada", loadUser)
	_ = store.Flush(context.Background()) // the SET is sent behind the answer
	_, _ = users.Get(context.Background(), "ada", loadUser)
	// Output:
	// MGET 5 arguments
	// SET 4 arguments
	// MGET 5 arguments
}

func ExampleCache_WriteThrough() {
	store, done := open()
	defer done()
	ctx := context.Background()
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Hour})
	err := users.WriteThrough(ctx, "eve", User{"Eve", "8"}, func(_ context.Context, u User) (User, error) {
		database["eve"] = u // RETURNING * hands back what the database has filled in
		return u, nil
	})
	switch {
	case errors.Is(err, strategies.ErrPending):
		fmt.Println("saved; other instances may read the old value a little longer")
	case err != nil:
		fmt.Println("not saved:", err)
	}
	var st strategies.Status
	u, err := users.Get(ctx, "eve", loadUser, strategies.Report(&st))
	fmt.Println(u.Name, err, st.State)
	// Output: Eve <nil> HIT
}

func ExampleCache_GetMany() {
	store, done := open()
	defer done()
	ctx := context.Background()
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Hour})
	found, err := users.GetMany(ctx, []string{"ada", "bob", "nobody"}, loadUsers)
	fmt.Println(len(found), found["bob"].Name, err)
	// Output: 2 Bob <nil>
}

func ExampleCache_Fetch() {
	store, done := open()
	defer done()
	ctx := context.Background()
	pages := strategies.New[string](store, strategies.Config{Name: "page", TTL: time.Minute, StaleIfError: time.Hour})
	fetch := func(ctx context.Context, l *strategies.Load[string]) (string, error) {
		if _, ok := l.Old(); ok {
			return l.NotModified() // ask the origin first, as with an ETag
		}
		l.SetTTL(10 * time.Minute) // what the origin said
		l.AddTags("author:ada")    // what only the page itself tells
		return "hello", nil
	}
	page, err := pages.Fetch(ctx, "/", fetch)
	fmt.Println(page, err)
	_, err = store.Invalidate(ctx, invalidate.Tags("author:ada"))
	fmt.Println(err)
	// Output:
	// hello <nil>
	// <nil>
}

func ExampleCache_Warm() {
	store, done := open()
	defer done()
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Hour})
	r, err := users.Warm(context.Background(), []string{"ada", "bob", "nobody"}, loadUsers)
	fmt.Println(r.Warmed, r.Fresh, r.Absent, r.Failed, err)
	// Output: 2 0 1 0 <nil>
}

func ExampleMemoize() {
	store, done := open()
	defer done()
	squares := strategies.New[int](store, strategies.Config{Name: "square", TTL: time.Hour})
	square := strategies.Memoize(squares, func(_ context.Context, n int) (int, error) { return n * n, nil })
	n, err := square(context.Background(), 12)
	fmt.Println(n, err)
	// Output: 144 <nil>
}

func ExampleKey() {
	fmt.Println(strategies.Key("search", map[string]string{"sort": "downloads", "q": "a:b"}, 1))
	// Output: search:%{%&q%=a%3Ab%&sort%=downloads%}:1
}
