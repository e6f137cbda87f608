package adapters_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// clients ask at once in the test below.
const clients = 64

// answers is how many each router gives: a soak (RESTASH_SOAK) wants more than CI.
func answers() int64 {
	if os.Getenv("RESTASH_SOAK") != "" {
		return 100_000
	}
	return 20_000
}

// sayer answers with what a handler finds in its request, before and after a
// while in which the router might give the request to another.
func sayer(id who) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Clone(r.URL.Path)
		first := id(r)
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		}
		if rand.IntN(200) == 0 {
			panic("on purpose")
		}
		fmt.Fprintf(w, "%s %s %s", path, first, id(r))
	})
}

// One user is never answered with another's data, whatever the router takes
// back when a request ends: answers go stale all the time, clients leave, and
// handlers panic.
func TestNobodyGetsAnothersAnswer(t *testing.T) {
	for _, router := range routers() {
		t.Run(router.name, func(t *testing.T) {
			store := newStore()
			t.Cleanup(func() { store.Close(context.Background()) })
			cached := handler.Cache(store, handler.Config{Prefix: "u", TTL: 20 * time.Millisecond, StaleWhileRevalidate: time.Minute, Public: true})
			a := &asking{t: t, url: router.serve(t, mounting{"users", cached, sayer}, mounting{"orders", bare, sayer}), http: &http.Client{
				Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients},
			}}
			var wg sync.WaitGroup
			for range clients {
				wg.Go(a.run)
			}
			wg.Wait()
			a.http.CloseIdleConnections()
			t.Logf("%d answers (%d hits, %d stale), %d without one, %d wrong", a.right.Load(), a.hits.Load(), a.stale.Load(), a.none.Load(), a.wrong.Load())
			if a.wrong.Load() > 0 || a.stale.Load() == 0 || a.hits.Load() == 0 {
				t.Fail()
			}
		})
	}
}

type asking struct {
	t    *testing.T
	url  string
	http *http.Client

	right, wrong, none, hits, stale atomic.Int64
}

func (a *asking) run() {
	for enough := answers(); a.right.Load() < enough && a.wrong.Load() < 10; {
		kind, id := "users", fmt.Sprint("u", rand.IntN(24))
		if rand.IntN(3) == 0 {
			kind, id = "orders", fmt.Sprint("o", rand.IntN(1000))
		}
		a.ask("/"+kind+"/"+id, id)
	}
}

func (a *asking) ask(path, id string) {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if rand.IntN(20) == 0 {
		time.AfterFunc(time.Duration(rand.IntN(1000))*time.Microsecond, leave)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		a.t.Error(err)
		return
	}
	res, err := a.http.Do(r)
	if err != nil {
		a.none.Add(1)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		a.none.Add(1)
		return
	}
	if want := path + " " + id + " " + id; string(body) != want {
		a.wrong.Add(1)
		a.t.Errorf("want %q, got %q (%s)", want, body, res.Header.Get("Cache-Status"))
		return
	}
	a.right.Add(1)
	switch res.Header.Get("X-Cache") {
	case strategies.Hit.String():
		a.hits.Add(1)
	case strategies.Stale.String():
		a.stale.Add(1)
	}
}
