// Program with is a function that caches a lookup: client and strategies.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
)

type user struct{ Name string }

func load(context.Context, string) (user, error) { return user{"Ada"}, nil }

func main() {
	if len(os.Args) > 1 {
		construct()
		return
	}
	c, err := client.FromEnv()
	if err != nil {
		return // the size and the start are what is measured
	}
	serve(c)
}

func serve(c *client.Client) {
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	if err != nil {
		return
	}
	users := strategies.New[user](store, strategies.Config{Name: "user", TTL: time.Minute})
	_ = http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := users.Get(r.Context(), "ada", load)
		if err != nil {
			http.Error(w, "load failed", http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, u.Name)
	}))
}

// construct makes everything against a listener and counts who connects.
func construct() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	connected := make(chan struct{})
	go func() {
		if _, err := l.Accept(); err == nil {
			close(connected)
		}
	}()
	c, err := client.New(client.Config{URL: "http://" + l.Addr().String(), Token: "t"})
	if err != nil {
		panic(err)
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	if err != nil {
		panic(err)
	}
	strategies.New[user](store, strategies.Config{Name: "user", TTL: time.Minute})
	select {
	case <-connected:
		fmt.Println("construction touches the network")
		os.Exit(1)
	case <-time.After(300 * time.Millisecond):
	}
}
