package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/upstashtest"
)

// An error of a script is the script's own, whatever it is called: it ran.
func TestHonestAScriptIsNeverRepeatedForItsOwnWords(t *testing.T) {
	for _, code := range []string{"TRYAGAIN", "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN"} {
		refused := answer(200, `{"error":"`+code+` the script said so"}`)
		for name, run := range map[string]func(c *client.Client) error{
			"EVAL": func(c *client.Client) error {
				_, err := client.Do(t.Context(), c, command.Raw("EVAL", "s", 0))
				return err
			},
			"EVALSHA": func(c *client.Client) error {
				_, err := client.Do(t.Context(), c, command.Raw("evalsha", "s", 0))
				return err
			},
			"EVAL_RO": func(c *client.Client) error {
				_, err := client.Do(t.Context(), c, command.Raw("EVAL_RO", "s", 0).Read())
				return err
			},
			"FCALL": func(c *client.Client) error {
				_, err := client.Do(t.Context(), c, command.Raw("FCALL", "f", 0))
				return err
			},
			"repeated": func(c *client.Client) error {
				_, err := client.Do(t.Context(), c, command.Raw("EVAL", "s", 0).Repeat())
				return err
			},
		} {
			s := &scripted{attempts: []attempt{refused, good}}
			err := run(scriptedClient(t, s))
			assert.Equal(t, 1, s.calls, "%s %s", name, code)
			e, ok := errors.AsType[*client.Error](err)
			require.True(t, ok, "%s %s: %v", name, code, err)
			assert.Equal(t, client.SentYes, e.Sent)
			assert.Equal(t, code, e.Code)
		}
		s := &scripted{attempts: []attempt{refused, good}}
		_, err := scriptedClient(t, s).Incr(t.Context(), "k")
		assert.Equal(t, 2, s.calls, "of a plain command it says that it did not run: %v", err)
	}
}

// What a repeated write answers is not taken for the first one's answer.
func TestHonestARepeatedWriteSaysSo(t *testing.T) {
	ctx := t.Context()
	type call struct {
		reply string
		run   func(c *client.Client) error
		told  bool
	}
	calls := map[string]call{
		"ZREM 0":     {`{"result":0}`, func(c *client.Client) error { _, err := c.ZRem(ctx, "k", "m"); return err }, true},
		"SADD 0":     {`{"result":0}`, func(c *client.Client) error { _, err := c.SAdd(ctx, "k", "m"); return err }, true},
		"DEL 0":      {`{"result":0}`, func(c *client.Client) error { _, err := c.Del(ctx, "k"); return err }, true},
		"HSET 0":     {`{"result":0}`, func(c *client.Client) error { _, err := c.HSet(ctx, "k", map[string]any{"f": "v"}); return err }, true},
		"SETBIT 1":   {`{"result":1}`, func(c *client.Client) error { _, err := c.SetBit(ctx, "k", 1, true); return err }, true},
		"EXPIRE 0":   {`{"result":0}`, func(c *client.Client) error { _, err := c.Expire(ctx, "k", time.Second); return err }, true},
		"an error":   {`{"error":"OOM no memory"}`, func(c *client.Client) error { _, err := c.Del(ctx, "k"); return err }, true},
		"ZREM 1":     {`{"result":1}`, func(c *client.Client) error { _, err := c.ZRem(ctx, "k", "m"); return err }, false},
		"SET":        {`{"result":"OK"}`, func(c *client.Client) error { _, err := c.Set(ctx, "k", "v"); return err }, false},
		"GET nil":    {`{"result":null}`, func(c *client.Client) error { _, err := c.Get(ctx, "k"); return err }, false},
		"ZCARD 0":    {`{"result":0}`, func(c *client.Client) error { _, err := c.ZCard(ctx, "k"); return err }, false},
		"for effect": {`{"result":0}`, func(c *client.Client) error { _, err := client.Do(ctx, c, command.Del("k").ForEffect()); return err }, false},
		"batch": {`[{"result":0}]`, func(c *client.Client) error {
			replies, err := c.Batch(ctx, command.Del("k"))
			if err != nil {
				return err
			}
			return client.ReplyError(command.Del("k"), replies[0])
		}, true},
		"pipeline": {`[{"result":0}]`, func(c *client.Client) error {
			p := pipeline.New(c)
			n := p.ZRem("k", "m")
			if err := p.Exec(ctx); err != nil && !errors.Is(err, client.ErrRepeated) {
				return err
			}
			_, err := n.Value()
			return err
		}, true},
		"read in a batch": {`[{"result":0},{"result":0}]`, func(c *client.Client) error {
			replies, err := c.Batch(ctx, command.ZCard("k"), command.Del("k").ForEffect())
			return errors.Join(err, client.ReplyError(command.ZCard("k"), replies[0]), client.ReplyError(command.Del("k"), replies[1]))
		}, false},
	}
	for name, call := range calls {
		for lost, first := range map[string]attempt{"cut": cut, "reset": reset, "502": answer(502, "bad gateway")} {
			s := &scripted{attempts: []attempt{first, answer(200, call.reply)}}
			err := call.run(scriptedClient(t, s))
			assert.Equal(t, 2, s.calls, "%s, %s", name, lost)
			assert.Equal(t, call.told, errors.Is(err, client.ErrRepeated), "%s, %s: %v", name, lost, err)
		}
		s := &scripted{attempts: []attempt{answer(429, `{"error":"ERR slow down"}`), answer(200, call.reply)}}
		assert.NotErrorIs(t, call.run(scriptedClient(t, s)), client.ErrRepeated, "%s: 429 was not executed", name)
	}
}

func TestHonestTheValueComesWithTheDoubt(t *testing.T) {
	s := &scripted{attempts: []attempt{cut, answer(200, `{"result":1}`)}}
	was, err := scriptedClient(t, s).SetBit(t.Context(), "k", 7, true)
	assert.ErrorIs(t, err, client.ErrRepeated)
	assert.True(t, was)
	assert.False(t, client.Unavailable(err), "Redis answered")
	assert.ErrorContains(t, err, "repeated after a lost answer (2 attempts)")
}

// What cannot get better is tried once.
func TestHonestIncurableErrorsAreTriedOnce(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	expired := &tls.CertificateVerificationError{Err: errors.New("expired")}
	for name, tt := range map[string]struct {
		url  string
		http *http.Client
	}{
		"unknown authority":     {url: secure.URL},
		"no TLS spoken":         {url: "https" + strings.TrimPrefix(plain.URL, "http")},
		"no such host":          {url: "https://x", http: &http.Client{Transport: &scripted{attempts: []attempt{fail(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true})}}}},
		"certificate expired":   {url: "https://x", http: &http.Client{Transport: &scripted{attempts: []attempt{fail(expired)}}}},
		"client cert is wanted": {url: "https://x", http: &http.Client{Transport: &scripted{attempts: []attempt{fail(tls.AlertError(116))}}}},
		"redirect":              {url: "https://x", http: &http.Client{Transport: &scripted{attempts: []attempt{answer(301, "", "Location", "https://other.example/path?t=1")}}}},
	} {
		c, err := client.New(client.Config{URL: tt.url, Token: "t", HTTPClient: tt.http, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		_, err = c.Get(t.Context(), "k")
		e, ok := errors.AsType[*client.Error](err)
		require.True(t, ok, name)
		assert.Equal(t, 1, e.Attempts, "%s: %v", name, err)
		for _, err := range c.Subscribe(t.Context(), "news") {
			e, ok := errors.AsType[*client.Error](err)
			require.True(t, ok, name)
			assert.Equal(t, 1, e.Attempts, "stream, %s: %v", name, err)
		}
	}
}

func TestHonestARedirectSaysWhereTo(t *testing.T) {
	s := &scripted{attempts: []attempt{answer(308, "<html>moved</html>", "Location", "https://user:pw@other.example/path?secret=1")}}
	_, err := scriptedClient(t, s).Get(t.Context(), "k")
	assert.ErrorIs(t, err, client.ErrProtocol)
	assert.ErrorContains(t, err, "redirects to https://other.example/path: use the URL")
	assert.NotContains(t, err.Error(), "secret")
	assert.NotContains(t, err.Error(), "pw")
}

// A connection that swallows a request costs a third of the time, not all.
func TestHonestASlowAttemptIsGivenUp(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	drip := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: -1, Request: r, Body: io.NopCloser(hanging{r.Context()})}, nil
	}
	for name, bad := range map[string]attempt{"no answer": hang, "no body": drip} {
		synctest.Test(t, func(t *testing.T) {
			run := func(timeout time.Duration, cmd command.Command[string], attempts ...attempt) (took time.Duration, s *scripted, err error) {
				s = &scripted{attempts: attempts}
				c := scriptedClient(t, s, func(cfg *client.Config) { cfg.Timeout = timeout })
				began := time.Now()
				_, err = client.Do(t.Context(), c, cmd)
				return time.Since(began), s, err
			}
			took, s, err := run(6*time.Second, command.Get("k"), bad, good)
			assert.NoError(t, err, name)
			assert.Equal(t, 2*time.Second, took.Truncate(time.Second), name)
			assert.Equal(t, 2, s.calls)

			took, s, err = run(6*time.Second, command.Get("k"), bad)
			assert.ErrorIs(t, err, client.ErrTransport, name)
			assert.ErrorIs(t, err, context.DeadlineExceeded, name)
			assert.LessOrEqual(t, took, 6*time.Second, name)
			assert.Equal(t, 4, s.calls, name)

			took, s, _ = run(6*time.Second, command.Get("k").Once(), bad)
			assert.Equal(t, 6*time.Second, took, "%s: what must not be repeated has all the time", name)
			assert.Equal(t, 1, s.calls)

			took, s, _ = run(time.Second, command.Get("k"), bad)
			assert.Equal(t, time.Second, took, "%s: too short to be divided", name)
			assert.Equal(t, 1, s.calls)
		})
	}
}

type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// A subscription to something that is no stream ends, and says what it met.
func TestHonestWhatIsNoStreamEndsTheLoop(t *testing.T) {
	for name, tt := range map[string]struct {
		serve http.HandlerFunc
		kind  error
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>\n\n<p>login\n\n</html>") }, client.ErrProtocol},
		"JSON":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"result":"OK"}`) }, client.ErrProtocol},
		"a page that goes on": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "<html>\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, client.ErrProtocol},
		"an error of 200": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error":"NOPERM no"}`) }, client.ErrPermission},
		"a redirect":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, client.ErrProtocol},
	} {
		var requests atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests.Add(1); tt.serve(w, r) }))
		c, err := client.New(client.Config{URL: srv.URL, Token: "t", Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		var errs []error
		for _, err := range c.Subscribe(t.Context(), "news") {
			errs = append(errs, err)
		}
		require.Len(t, errs, 1, name)
		assert.ErrorIs(t, errs[0], tt.kind, name)
		assert.EqualValues(t, 1, requests.Load(), name)
		srv.CloseClientConnections()
		srv.Close()
		require.NoError(t, c.Close())
	}
}

// Close ends streams: one that listens, one that is opened again, one that a
// server holds without a head.
func TestHonestCloseEndsStreams(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"listening": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: subscribe,news,1\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"no head":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"unavailable": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
	} {
		srv := httptest.NewServer(serve)
		c, err := client.New(client.Config{URL: srv.URL, Token: "t", Logger: slog.New(slog.DiscardHandler), MaxRetries: 1000})
		require.NoError(t, err)
		last := make(chan error, 1)
		go func() {
			var end error
			for _, err := range c.Subscribe(context.Background(), "news") {
				end = err
			}
			last <- end
		}()
		time.AfterFunc(100*time.Millisecond, func() { _ = c.Close() })
		assert.ErrorIs(t, <-last, client.ErrClosed, name)
		srv.CloseClientConnections()
		srv.Close()
	}
}

// An answer without an end is bounded.
func TestHonestAnswersAreBounded(t *testing.T) {
	endless := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: -1, Request: r, Body: io.NopCloser(zeros{})}, nil
	}
	announced := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: 5 << 20, Request: r, Body: io.NopCloser(zeros{})}, nil
	}
	for name, bad := range map[string]attempt{"endless": endless, "announced": announced} {
		s := &scripted{attempts: []attempt{bad}}
		_, err := scriptedClient(t, s, func(cfg *client.Config) { cfg.Limits.Reply = 4 << 20 }).Get(t.Context(), "k")
		assert.ErrorIs(t, err, client.ErrTooLarge, name)
		assert.ErrorContains(t, err, "4194304 bytes (Limits.Reply)", name)
		assert.Equal(t, 1, s.calls, name)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, strings.Repeat("0", len(p))), nil }

// The token of a write is never lost to the answer of a read, in whatever order
// requests begin and answers come.
func TestHonestReadYourWritesInEveryOrder(t *testing.T) {
	type gate struct{ sent, answered chan struct{} }
	orders := [][]string{ // begin and answer (with a dash) of a write and two reads
		{"w", "r1", "r1-", "w-"}, {"r1", "w", "w-", "r1-"}, {"w", "r1", "w-", "r1-"}, {"r1", "w", "r1-", "w-"},
		{"w", "r1", "r2", "r2-", "w-", "r1-"}, {"r1", "w", "r2", "r2-", "r1-", "w-"}, {"w", "r1", "r1-", "r2", "r2-", "w-"},
		{"w", "r1", "r1-", "r2", "w-", "r2-"}, {"r1", "r2", "w", "w-", "r2-", "r1-"},
	}
	for _, order := range orders {
		synctest.Test(t, func(t *testing.T) {
			gates := map[string]gate{}
			var mu sync.Mutex
			var carried string // by the last request
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				name := strings.Split(string(body), `"`)[3]
				mu.Lock()
				g := gates[name]
				carried = r.Header.Get("Upstash-Sync-Token")
				mu.Unlock()
				if g.answered != nil {
					close(g.sent)
					<-g.answered
				}
				return answer(200, `{"result":null}`, "Upstash-Sync-Token", "after "+name)(r)
			})
			c, err := client.New(client.Config{URL: "https://x", Token: "t", HTTPClient: &http.Client{Transport: transport}, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			for _, step := range order {
				name, end := strings.CutSuffix(step, "-")
				if end {
					close(gates[name].answered)
					synctest.Wait()
					continue
				}
				mu.Lock()
				g := gate{make(chan struct{}), make(chan struct{})}
				gates[name] = g
				mu.Unlock()
				go func() {
					if name == "w" {
						_, _ = c.Set(context.Background(), name, "v")
						return
					}
					_, _ = c.Get(context.Background(), name)
				}()
				<-g.sent
			}
			_, _ = c.Get(t.Context(), "probe")
			saw := carried == "after w" || strings.HasPrefix(carried, "after r") && began(order, "w-") < began(order, strings.TrimPrefix(carried, "after "))
			assert.True(t, saw, "%v: the next read carries %q", order, carried)
		})
	}
}

func began(order []string, step string) int {
	for i, s := range order {
		if s == step {
			return i
		}
	}
	return len(order)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// No request opens a connection of its own, at any concurrency up to MaxConns.
func TestHonestConnectionsAreKept(t *testing.T) {
	srv := upstashtest.Run(t)
	var opened atomic.Int64
	counting := httptest.NewUnstartedServer(srv.Handler())
	counting.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	counting.Start()
	defer counting.Close()
	c, err := client.New(client.Config{URL: counting.URL, Token: srv.Token, MaxConns: 48})
	require.NoError(t, err)
	defer c.Close()
	for range 20 {
		var wg sync.WaitGroup
		for range 48 {
			wg.Go(func() {
				_, err := c.Set(t.Context(), "k", "v")
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	}
	assert.LessOrEqual(t, opened.Load(), int64(48))
}
