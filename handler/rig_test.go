package handler_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// rig is a local Redis with a Store on it.
type rig struct {
	t     testing.TB
	srv   *upstashtest.Server
	store *strategies.Store
}

func newRig(t testing.TB, options ...func(*strategies.StoreConfig)) *rig {
	t.Helper()
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	return &rig{t: t, srv: srv, store: newStore(t, srv, options...)}
}

func newStore(t testing.TB, srv *upstashtest.Server, options ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return newStoreOn(t, c, options...)
}

func newStoreOn(t testing.TB, c *client.Client, options ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	cfg := strategies.StoreConfig{Namespace: "test"}
	for _, set := range options {
		set(&cfg)
	}
	store, err := strategies.NewStore(c, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	return store
}

// bill runs do and requires what it is billed.
func (r *rig) bill(commands, trips int, do func()) {
	r.t.Helper()
	before := r.srv.Bill()
	do()
	got := r.srv.Bill().Sub(before)
	require.Equal(r.t, [2]int64{int64(commands), int64(trips)}, [2]int64{got.Commands, got.Trips}, "billed commands and trips")
}

// answer is what a client got.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (a answer) cache() string  { return a.Header.Get("X-Cache") }
func (a answer) status() string { return a.Header.Get("Cache-Status") }

// ask sends a request to h; fields are "Name: value".
func ask(h http.Handler, method, target string, fields ...string) answer {
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
	return answer{res.StatusCode, res.Header, string(body)}
}

func get(h http.Handler, target string, fields ...string) answer {
	return ask(h, http.MethodGet, target, fields...)
}

// route mounts one handler under a preset.
func route(store *strategies.Store, pattern string, cfg handler.Config, h http.HandlerFunc) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle(pattern, handler.Cache(store, cfg)(h))
	return mux
}
