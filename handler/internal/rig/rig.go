package rig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// Rig is a local Redis with a Store on it.
type Rig struct {
	T     testing.TB
	Srv   *upstashtest.Server
	Store *strategies.Store
}

// New makes a Rig that ends with the test.
func New(t testing.TB, options ...func(*strategies.StoreConfig)) *Rig {
	t.Helper()
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	return On(t, srv, options...)
}

// On is a Rig with a Store of its own on a Redis that is there.
func On(t testing.TB, srv *upstashtest.Server, options ...func(*strategies.StoreConfig)) *Rig {
	t.Helper()
	return &Rig{T: t, Srv: srv, Store: NewStore(t, srv, options...)}
}

// NewStore is a Store on srv.
func NewStore(t testing.TB, srv *upstashtest.Server, options ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return NewStoreOn(t, c, options...)
}

// NewStoreOn is a Store on a client.
func NewStoreOn(t testing.TB, c *client.Client, options ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	cfg := strategies.StoreConfig{Namespace: "test", Executor: AtOnce{}}
	for _, set := range options {
		set(&cfg)
	}
	store, err := strategies.NewStore(c, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	return store
}

// AtOnce is an executor whose work is done when it was submitted: what a test
// finds in Redis behind an answer does not depend on the machine's speed.
type AtOnce struct{}

// Submit does the work.
func (AtOnce) Submit(work func()) bool { work(); return true }

// Wait says that nobody waits.
func (AtOnce) Wait() time.Duration { return 0 }

// Flush has nothing to do.
func (AtOnce) Flush(context.Context) error { return nil }

// Bill runs do and requires what it is billed.
func (r *Rig) Bill(commands, trips int, do func()) {
	r.T.Helper()
	before := r.Srv.Bill()
	do()
	got := r.Srv.Bill().Sub(before)
	require.Equal(r.T, [2]int64{int64(commands), int64(trips)}, [2]int64{got.Commands, got.Trips}, "billed commands and trips")
}

// Answer is what a client got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Cache is the X-Cache field.
func (a Answer) Cache() string { return a.Header.Get("X-Cache") }

// CacheStatus is the Cache-Status field.
func (a Answer) CacheStatus() string { return a.Header.Get("Cache-Status") }

// Ask sends a request to h; fields are "Name: value".
func Ask(h http.Handler, method, target string, fields ...string) Answer {
	r := httptest.NewRequest(method, target, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	return Answer{res.StatusCode, res.Header, string(body)}
}

// Get sends a GET.
func Get(h http.Handler, target string, fields ...string) Answer {
	return Ask(h, http.MethodGet, target, fields...)
}

// mounted are all handlers that were mounted. A route that nobody can reach any
// more is forgotten with its counters, and tests look at them when their last
// request is over.
var mounted struct {
	mu  sync.Mutex
	all []http.Handler
}

// Mount mounts one handler under a preset.
func Mount(store *strategies.Store, pattern string, cfg handler.Config, h http.HandlerFunc) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle(pattern, handler.Cache(store, cfg)(h))
	mounted.mu.Lock()
	defer mounted.mu.Unlock()
	mounted.all = append(mounted.all, mux)
	return mux
}

// ListConfig is a preset as a list route has it.
func ListConfig() handler.Config {
	cfg := handler.Lists.Config("list")
	cfg.Tags = []string{"extensions"}
	cfg.Query = handler.Query{"search": "", "sort": "downloads", "page": "1"}
	cfg.Public = true
	return cfg
}

// Counting answers with the query it sees and counts its runs.
func Counting(runs *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"run":%d,"query":%q,"host":%q,"user":%q}`, runs.Add(1), r.URL.RawQuery, r.Host, r.Header.Get("Cookie")+r.Header.Get("Authorization"))
	}
}

// Post sends a POST.
func Post(h http.Handler, target, body string, fields ...string) Answer {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return Answer{w.Code, w.Header(), w.Body.String()}
}
