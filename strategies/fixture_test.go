package strategies_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// item is the value type of most tests.
type item struct {
	ID string `json:"id"`
	N  int    `json:"n"`
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// inMemory is for synctest bubbles: no socket, the bubble's time.
func inMemory(c *upstashtest.Config) { c.InMemory = true }

func newServer(t testing.TB, opts ...func(*upstashtest.Config)) *upstashtest.Server {
	t.Helper()
	return upstashtest.Run(t, append([]func(*upstashtest.Config){inMemory}, opts...)...)
}

func newClient(t testing.TB, srv *upstashtest.Server, change ...func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient(), Logger: quiet}
	for _, f := range change {
		f(&cfg)
	}
	c, err := client.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func newStore(t testing.TB, srv *upstashtest.Server, change ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	return storeOn(t, newClient(t, srv), change...)
}

func storeOn(t testing.TB, c *client.Client, change ...func(*strategies.StoreConfig)) *strategies.Store {
	t.Helper()
	cfg := strategies.StoreConfig{Logger: quiet, Executor: atOnce{}}
	for _, f := range change {
		f(&cfg)
	}
	s, err := strategies.NewStore(c, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Close(ctx)
	})
	return s
}

// source is a database that counts its reads.
type source struct {
	reads atomic.Int64
	value atomic.Int64
	fail  atomic.Bool
	delay atomic.Int64
}

var errSource = errors.New("the database is sick")

func (s *source) load(ctx context.Context, key string) (item, error) {
	s.reads.Add(1)
	n := int(s.value.Load())
	if d := s.delay.Load(); d > 0 {
		select {
		case <-time.After(time.Duration(d)):
		case <-ctx.Done():
			return item{}, ctx.Err()
		}
	}
	if s.fail.Load() {
		return item{}, errSource
	}
	return item{ID: key, N: n}, nil
}

func (s *source) loadMany(_ context.Context, keys []string) (map[string]item, error) {
	s.reads.Add(1)
	if s.fail.Load() {
		return nil, errSource
	}
	m := map[string]item{}
	for _, k := range keys {
		m[k] = item{ID: k, N: int(s.value.Load())}
	}
	return m, nil
}

func get(t testing.TB, c *strategies.Cache[item], key string, src *source, opts ...strategies.Option) (item, strategies.Status) {
	t.Helper()
	var st strategies.Status
	v, err := c.Get(t.Context(), key, src.load, append(opts, strategies.Report(&st))...)
	require.NoError(t, err)
	return v, st
}

// atOnce is an executor whose work is done when it was submitted: what a test
// finds in Redis behind an answer does not depend on the machine's speed.
type atOnce struct{}

func (atOnce) Submit(work func()) bool     { work(); return true }
func (atOnce) Wait() time.Duration         { return 0 }
func (atOnce) Flush(context.Context) error { return nil }

// pooled is for tests of what goes on behind answers.
func pooled(c *strategies.StoreConfig) { c.Executor = strategies.Pool(16) }

// delayed answers every request later.
func delayed(d time.Duration) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(d)
		next.ServeHTTP(w, r)
	}
}

// peek returns the body of a request and leaves it to be read.
func peek(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return string(body)
}

// srvFingerprint is the part of the entries' keys that names their type.
func srvFingerprint(t testing.TB, srv *upstashtest.Server) string {
	t.Helper()
	keys, err := srv.Do("KEYS", "restash:e:item:*")
	require.NoError(t, err)
	require.NotEmpty(t, keys.Array)
	return strings.Split(string(keys.Array[0].Bytes), ":")[3]
}
