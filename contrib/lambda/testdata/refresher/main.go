// Command refresher is a function for the tests of package lambda: one cached
// value per path that is stale as soon as it is stored, so that each answer leaves
// a refresh behind. With LAMBDA_EXTENSION=off it does as a function does that knows
// nothing of package lambda's extension: its callers wait.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/contrib/lambda"
	"github.com/cldcde/restash/strategies"
)

var loads atomic.Int64

// load takes long enough that only work after the answer can hide it.
func load(ctx context.Context, _ string) (int64, error) {
	n := loads.Add(1)
	if n == 1 {
		return n, nil
	}
	select {
	case <-time.After(250 * time.Millisecond):
		return n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func main() {
	redis, err := client.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	extended := os.Getenv("LAMBDA_EXTENSION") != "off"
	var sc strategies.StoreConfig // the Store's own choice on Lambda
	if extended {
		sc.Executor = lambda.Executor()
	}
	store, err := strategies.NewStore(redis, sc)
	if err != nil {
		log.Fatal(err)
	}
	values := strategies.New[int64](store, strategies.Config{
		Name: "value", TTL: time.Millisecond, StaleWhileRevalidate: time.Hour,
	})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("on purpose")
		}
		var status strategies.Status
		v, err := values.Get(r.Context(), r.URL.Path, load, strategies.Report(&status))
		if err != nil {
			http.Error(w, "load failed", http.StatusBadGateway)
			return
		}
		_, limited := r.Context().Deadline()
		stats := store.Stats()
		_ = json.NewEncoder(w).Encode(map[string]any{
			"value": v, "state": status.State.String(), "trips": status.Trips,
			"errors": stats.Errors, "limited": limited,
		})
	})
	config := lambda.Config{Handler: h}
	if extended {
		config.Store = store
	}
	if os.Getenv("LAMBDA_EVENTS") == "apigateway" {
		config.Events = lambda.APIGateway
	}
	log.Fatal(lambda.Start(config))
}
