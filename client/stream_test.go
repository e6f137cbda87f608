package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connection is what a scripted stream server does with one request.
type connection func(w http.ResponseWriter, flush func(), r *http.Request)

// streaming serves connections in turn, the last one for ever.
func streaming(t *testing.T, change func(*client.Config), connections ...connection) (*client.Client, *[]string) {
	t.Helper()
	var paths []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(len(paths), len(connections)-1)
		paths = append(paths, r.URL.EscapedPath())
		assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
		assert.Equal(t, "Bearer t", r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "text/event-stream")
		connections[n](w, w.(http.Flusher).Flush, r)
	}))
	t.Cleanup(s.Close)
	cfg := client.Config{URL: s.URL, Token: "t"}
	if change != nil {
		change(&cfg)
	}
	c, err := client.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c, &paths
}

// send writes parts, each flushed by itself.
func send(parts ...string) connection {
	return func(w http.ResponseWriter, flush func(), _ *http.Request) {
		for _, p := range parts {
			fmt.Fprint(w, p)
			flush()
		}
	}
}

// hold writes parts and keeps the connection open until the client leaves.
func hold(parts ...string) connection {
	return func(w http.ResponseWriter, flush func(), r *http.Request) {
		send(parts...)(w, flush, r)
		<-r.Context().Done()
	}
}

func TestSubscribeReadsEvents(t *testing.T) {
	c, paths := streaming(t, nil, hold(
		": heartbeat\n\ndata: subscribe,a,1\n\ndata: subscribe,b,c,2\n\n",
		"data: message,a,plain\n\n",
		"event: x\nid: 7\ndata: message,a,one,two,,three\n\n",
		"data: message,b,c,the name has a comma\n\n",
		"data: mess", "age,a,in parts\n", "\n",
		"data: message,a,two\ndata: lines\n\n",
		"data: message,a,\r\n\r\n",
		"data: message,unknown,first comma,rest\n\n",
		"data: message,a,end\n\n",
	))
	var got []client.Message
	for m, err := range c.Subscribe(t.Context(), "a", "b,c") {
		require.NoError(t, err)
		if got = append(got, m); m.Payload == "end" {
			break
		}
	}
	assert.Equal(t, []client.Message{
		{Channel: "a", Payload: "plain"}, {Channel: "a", Payload: "one,two,,three"},
		{Channel: "b,c", Payload: "the name has a comma"}, {Channel: "a", Payload: "in parts"},
		{Channel: "a", Payload: "two\nlines"}, {Channel: "a"}, {Channel: "unknown", Payload: "first comma,rest"}, {Channel: "a", Payload: "end"},
	}, got)
	assert.Equal(t, []string{"/subscribe/a/b%2Cc"}, *paths)
	require.NoError(t, c.Close())
}

func TestEventsOfAServerWithoutEmptyLines(t *testing.T) {
	c, _ := streaming(t, nil, hold("data: subscribe,a,1\ndata: message,a,x\n", "data: message,a,end\n"))
	var got []string
	for m, err := range c.Subscribe(t.Context(), "a") {
		require.NoError(t, err)
		if got = append(got, m.Payload); m.Payload == "end" {
			break
		}
	}
	assert.Equal(t, []string{"x", "end"}, got)
}

func TestPSubscribeAndMonitor(t *testing.T) {
	c, paths := streaming(t, nil, hold("data: psubscribe,ch/*,1\n\ndata: pmessage,ch/*,ch/1,a,b\n\n"))
	for m, err := range c.PSubscribe(t.Context(), "ch/*") {
		require.NoError(t, err)
		assert.Equal(t, client.Message{Pattern: "ch/*", Channel: "ch/1", Payload: "a,b"}, m)
		break
	}
	assert.Equal(t, []string{"/psubscribe/ch%2F%2A"}, *paths)

	c, paths = streaming(t, nil, hold("data: \"OK\"\n\ndata: 1721284005.242090 [0 0.0.0.0:0] \"GET\" \"k\"\n\n"))
	for m, err := range c.Monitor(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, client.Message{Payload: `1721284005.242090 [0 0.0.0.0:0] "GET" "k"`}, m)
		break
	}
	assert.Equal(t, []string{"/monitor"}, *paths)
}

func TestAStreamReconnectsAndReportsTheGap(t *testing.T) {
	var opened int
	c, paths := streaming(t, func(cfg *client.Config) {
		cfg.Trace = &client.Trace{StreamOpen: func(context.Context, string) { opened++ }}
	},
		send("data: subscribe,a,1\n\ndata: message,a,1\n\n"),
		func(w http.ResponseWriter, _ func(), _ *http.Request) { w.WriteHeader(503) },
		hold("data: subscribe,a,1\n\ndata: message,a,2\n\n"),
	)
	var events []string
	for m, err := range c.Subscribe(t.Context(), "a") {
		var gap *client.GapError
		switch {
		case errors.As(err, &gap):
			assert.ErrorIs(t, err, client.ErrGap)
			assert.Positive(t, gap.Lost)
			assert.Error(t, gap.Unwrap())
			events = append(events, "gap")
			continue
		default:
			require.NoError(t, err)
		}
		if events = append(events, m.Payload); m.Payload == "2" {
			break
		}
	}
	assert.Equal(t, []string{"1", "gap", "2"}, events)
	assert.Len(t, *paths, 3)
	assert.Equal(t, 2, opened)
	require.NoError(t, c.Close())
}

func TestAStreamThatIsRefusedEnds(t *testing.T) {
	for status, sentinel := range map[int]error{401: client.ErrAuth, 403: client.ErrPermission, 404: client.ErrTransport, 503: client.ErrTransport} {
		c, paths := streaming(t, func(cfg *client.Config) { cfg.MaxRetries = 1 }, func(w http.ResponseWriter, _ func(), _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"error":"ERR no"}`)
		})
		n := 0
		for _, err := range c.Subscribe(t.Context(), "a") {
			n++
			var e *client.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, status, e.Status)
			if status != 404 {
				assert.ErrorIs(t, err, sentinel)
			}
		}
		assert.Equal(t, 1, n, "the error is the last thing")
		if status == 503 {
			assert.Len(t, *paths, 2)
		} else {
			assert.Len(t, *paths, 1)
		}
	}
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	c, _ := streaming(t, nil, hold("data: subscribe,a,1\n\ndata: message,a,1\n\n"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range c.Subscribe(ctx, "a") {
		require.NoError(t, err)
		n++
		cancel()
	}
	assert.Equal(t, 1, n)
	require.NoError(t, c.Close())
}

// silent is a body that has a beginning and then nothing.
type silent struct {
	io.Reader
	ctx context.Context
}

func (s silent) Read(b []byte) (int, error) {
	if n, err := s.Reader.Read(b); err == nil {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (silent) Close() error { return nil }

// TestASilentStreamIsOpenedAgain runs in a bubble: the five minutes after
// which a connection without a sign of life counts as dead pass at once.
func TestASilentStreamIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := func(text string) attempt {
			return func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: silent{strings.NewReader(text), r.Context()}}, nil
			}
		}
		s := &scripted{attempts: []attempt{open("data: subscribe,a,1\n\n"), open("data: subscribe,a,1\n\ndata: message,a,end\n\n")}}
		c := scriptedClient(t, s)
		start, gaps := time.Now(), 0
		for m, err := range c.Subscribe(t.Context(), "a") {
			var gap *client.GapError
			if errors.As(err, &gap) {
				gaps++
				assert.GreaterOrEqual(t, gap.Lost, client.DefaultStreamIdle)
				assert.ErrorContains(t, err, "nothing came for too long")
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, "end", m.Payload)
			break
		}
		assert.Equal(t, 1, gaps)
		assert.Equal(t, 2, s.calls)
		assert.InDelta(t, client.DefaultStreamIdle.Seconds(), time.Since(start).Seconds(), 1)
	})
}

func TestAnEventOverTheLimitBreaksTheConnection(t *testing.T) {
	c, _ := streaming(t, func(cfg *client.Config) { cfg.Limits.Request = 100 },
		send("data: subscribe,a,1\n\ndata: message,a,"+string(make([]byte, 200))+"\n\n"),
		hold("data: message,a,end\n\n"))
	for m, err := range c.Subscribe(t.Context(), "a") {
		if errors.Is(err, client.ErrGap) {
			assert.ErrorContains(t, err, "larger than the request limit")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, "end", m.Payload)
		break
	}
}

func TestNoChannels(t *testing.T) {
	c, paths := streaming(t, nil, hold())
	for _, err := range c.Subscribe(t.Context()) {
		assert.ErrorContains(t, err, "no channels")
	}
	assert.Empty(t, *paths)
}

func TestSubscribeAgainstTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
		c, err := client.New(client.Config{
			URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient(),
			Trace: &client.Trace{StreamOpen: func(context.Context, string) {
				go func() {
					for _, p := range []string{"a,b", `{"json":true}`, "end"} {
						_, err := srv.Do("PUBLISH", "news,of/the day", p)
						assert.NoError(t, err)
					}
				}()
			}},
		})
		require.NoError(t, err)
		var got []string
		for m, err := range c.Subscribe(t.Context(), "other", "news,of/the day") {
			require.NoError(t, err)
			assert.Equal(t, "news,of/the day", m.Channel)
			if got = append(got, m.Payload); m.Payload == "end" {
				break
			}
		}
		assert.Equal(t, []string{"a,b", `{"json":true}`, "end"}, got)
		require.NoError(t, c.Close())
	})
}
