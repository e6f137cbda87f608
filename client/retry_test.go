package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// attempt is what a scripted transport does with one request.
type attempt func(r *http.Request) (*http.Response, error)

// scripted plays attempts in turn, the last one for ever, and counts.
type scripted struct {
	attempts []attempt
	calls    int
	tokens   []string
	idle     int // calls of CloseIdleConnections
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	a := s.attempts[min(s.calls, len(s.attempts)-1)]
	s.calls++
	s.tokens = append(s.tokens, strings.Join(r.Header["Upstash-Sync-Token"], "|"))
	if r.Body != nil {
		if _, err := io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	return a(r)
}

func (s *scripted) CloseIdleConnections() { s.idle++ }

func answer(status int, body string, header ...string) attempt {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func fail(err error) attempt {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// cut answers with a body that breaks off.
func cut(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, ContentLength: 100, Body: io.NopCloser(io.MultiReader(
		strings.NewReader(`{"resu`), errReader{io.ErrUnexpectedEOF})), Request: r}, nil
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// reset fails as a real transport does after a connection was there.
func reset(r *http.Request) (*http.Response, error) {
	t := httptrace.ContextClientTrace(r.Context())
	t.GetConn("test.upstash.io:443")
	t.GotConn(httptrace.GotConnInfo{})
	return nil, errors.New("connection reset by peer")
}

// unreachable fails as a real transport does when there is no connection.
func unreachable(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GetConn("test.upstash.io:443")
	return nil, errors.New("tls: handshake failure")
}

var (
	good    = answer(200, `{"result":1}`)
	refused = fail(&net.OpError{Op: "dial", Err: errors.New("connection refused")})
)

func scriptedClient(t *testing.T, s *scripted, change ...func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{
		URL: "https://test.upstash.io", Token: "secret-token", HTTPClient: &http.Client{Transport: s},
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := client.New(cfg)
	require.NoError(t, err)
	return c
}

func TestWhatIsRetried(t *testing.T) {
	safe, unsafe := command.Exists("k"), command.Incr("k")
	for _, tt := range []struct {
		name  string
		cmd   command.Command[int64]
		first attempt
		calls int // 2: retried to success
		sent  client.Sent
	}{
		{"reset, safe", safe, reset, 2, 0},
		{"reset, unsafe", unsafe, reset, 1, client.SentUnknown},
		{"refused, safe", safe, refused, 2, 0},
		{"refused, unsafe", unsafe, refused, 2, 0},
		{"no TLS, unsafe", unsafe, unreachable, 2, 0},
		{"no such host, unsafe", unsafe, fail(&net.DNSError{Err: "no such host"}), 2, 0},
		{"unknown failure, unsafe", unsafe, fail(io.EOF), 1, client.SentUnknown},
		{"body cut, safe", safe, cut, 2, 0},
		{"body cut, unsafe", unsafe, cut, 1, client.SentUnknown},
		{"429, unsafe", unsafe, answer(429, ""), 2, 0},
		{"502, safe", safe, answer(502, "<html>"), 2, 0},
		{"502, unsafe", unsafe, answer(502, "<html>"), 1, client.SentUnknown},
		{"503, unsafe", unsafe, answer(503, `{"error":"x"}`), 1, client.SentUnknown},
		{"garbage, safe", safe, answer(200, "garbage"), 2, 0},
		{"garbage, unsafe", unsafe, answer(200, "garbage"), 1, client.SentUnknown},
		{"LOADING, unsafe", unsafe, answer(400, `{"error":"LOADING Redis is loading"}`), 2, 0},
		{"READONLY, unsafe", unsafe, answer(400, `{"error":"READONLY upgrade"}`), 2, 0},
		{"an error reply, safe", safe, answer(400, `{"error":"ERR no"}`), 1, client.SentYes},
		{"401, safe", safe, answer(401, `{"error":"WRONGPASS"}`), 1, client.SentYes},
		{"404 page, safe", safe, answer(404, "<html>"), 1, client.SentUnknown},
		{"redirect, safe", safe, answer(302, "", "Location", "https://evil.example/"), 1, client.SentUnknown},
		{"marked once", safe.Once(), reset, 1, client.SentUnknown},
		{"marked repeatable", unsafe.Repeat(), reset, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{attempts: []attempt{tt.first, good}}
				_, err := client.Do(t.Context(), scriptedClient(t, s), tt.cmd)
				assert.Equal(t, tt.calls, s.calls)
				if tt.calls == 2 {
					assert.NoError(t, err)
					return
				}
				var e *client.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, tt.calls, e.Attempts)
				if tt.calls == 1 {
					assert.Equal(t, tt.sent, e.Sent, err)
				}
			})
		})
	}
}

func TestRetriesGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{answer(503, "busy")}}
		start := time.Now()
		_, err := scriptedClient(t, s).Get(t.Context(), "k")
		var e *client.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, 1+client.DefaultMaxRetries, s.calls)
		assert.Equal(t, 503, e.Status)
		assert.ErrorIs(t, err, client.ErrTransport)
		assert.True(t, client.Unavailable(err))
		assert.Less(t, time.Since(start), time.Second, "three waits of at most 50, 100 and 200 ms")
		assert.Zero(t, s.idle, "a final failure leaves the connections of others alone")
	})
}

func TestNoRetry(t *testing.T) {
	s := &scripted{attempts: []attempt{refused, good}}
	_, err := scriptedClient(t, s, func(c *client.Config) { c.MaxRetries = client.NoRetry }).Get(t.Context(), "k")
	require.ErrorIs(t, err, client.ErrTransport)
	assert.Equal(t, 1, s.calls)
}

func TestFirstRetryAfterADeadConnectionIsImmediate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{reset, good}}
		start := time.Now()
		_, err := scriptedClient(t, s).Exists(t.Context(), "k")
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, s.idle, "idle connections were dropped first")
	})
}

func TestRetryAfter(t *testing.T) {
	for header, least := range map[string]time.Duration{
		"2": 2 * time.Second, "3600": 5 * time.Second, "nonsense": 0, "-5": 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{attempts: []attempt{answer(429, "", "Retry-After", header), good}}
			start := time.Now()
			_, err := scriptedClient(t, s).Incr(t.Context(), "k")
			require.NoError(t, err)
			assert.GreaterOrEqual(t, time.Since(start), least)
			assert.LessOrEqual(t, time.Since(start), max(least, 50*time.Millisecond))
		})
	}
	synctest.Test(t, func(t *testing.T) {
		for in, want := range map[time.Duration]float64{3 * time.Second: 3, time.Hour: 5} {
			date := time.Now().Add(in).UTC().Format(http.TimeFormat)
			s := &scripted{attempts: []attempt{answer(503, "", "Retry-After", date), good}}
			start := time.Now()
			_, err := scriptedClient(t, s).Exists(t.Context(), "k")
			require.NoError(t, err)
			assert.InDelta(t, want, time.Since(start).Seconds(), 1)
		}
	})
}

func TestNeverPastTheCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{answer(429, "", "Retry-After", "4")}}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := scriptedClient(t, s).Get(ctx, "k")
		require.ErrorIs(t, err, client.ErrQuota)
		assert.Zero(t, time.Since(start), "a wait that cannot end in time is not begun")
		assert.Equal(t, 1, s.calls)
	})
}

func TestTimeoutIncludesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		s := &scripted{attempts: []attempt{hang}}
		start := time.Now()
		_, err := scriptedClient(t, s, func(c *client.Config) { c.Timeout = 2 * time.Second }).Get(t.Context(), "k")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, client.ErrTransport)
		assert.True(t, client.Unavailable(err))
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestCancellationIsTheCallersDoing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &scripted{attempts: []attempt{func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	}}}
	_, err := scriptedClient(t, s).Get(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, client.Unavailable(err))
	assert.Equal(t, 1, s.calls)
}

func TestCancellationWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		s := &scripted{attempts: []attempt{answer(429, "", "Retry-After", "4")}}
		_, err := scriptedClient(t, s).Get(ctx, "k")
		require.Error(t, err)
		assert.Equal(t, 1, s.calls)
		assert.Zero(t, s.idle)
	})
}

func TestDoubtIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{reset, refused}}
		_, err := client.Do(t.Context(), scriptedClient(t, s), command.Incr("k").Repeat())
		var e *client.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, client.SentUnknown, e.Sent, "the first attempt may have been executed")
	})
}

func TestABatchIsAsSafeAsItsLeastSafeCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{reset, answer(200, `[{"result":1},{"result":2}]`)}}
		_, err := scriptedClient(t, s).Batch(t.Context(), command.Exists("a"), command.Incr("b"))
		require.Error(t, err)
		assert.Equal(t, 1, s.calls)

		s = &scripted{attempts: s.attempts}
		_, err = scriptedClient(t, s).Batch(t.Context(), command.Exists("a"), command.Del("b"))
		require.NoError(t, err)
		assert.Equal(t, 2, s.calls)
	})
}

func TestErrorsNeverTellSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, first := range []attempt{
			refused, reset, cut, answer(502, "<html>"), answer(200, `{"result":"s3cret!"}`), answer(200, `{"result":"czNjcmV0`),
			answer(400, `{"error":"ERR unknown command 'X', with args beginning with: 's3cret'"}`),
			func(r *http.Request) (*http.Response, error) { return nil, errors.New(r.Method) },
		} {
			var log strings.Builder
			s := &scripted{attempts: []attempt{first}}
			c := scriptedClient(t, s, func(c *client.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			_, err := c.Set(t.Context(), "k", "s3cret\xff", command.EX(time.Second))
			require.Error(t, err)
			_, err2 := c.Set(t.Context(), "k", "s3cret")
			require.Error(t, err2)
			for _, text := range []string{err.Error(), err2.Error(), log.String()} {
				assert.NotContains(t, text, "s3cret")
				assert.NotContains(t, text, "secret-token")
				assert.NotContains(t, text, "upstash.io")
				assert.NotContains(t, text, "czNjcmV0")
			}
		}
	})
}

func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, bodies := range map[int]map[string]bool{
			200: {`{"error":"WRONGTYPE x"}`: false, `nonsense`: true, `{"error":"ERR max daily request limit exceeded"}`: true},
			400: {`{"error":"ERR x"}`: false, `{"error":"NOPERM x"}`: false},
			401: {`{"error":"WRONGPASS"}`: true}, 403: {``: true, `{"error":"no"}`: true},
			413: {`{"error":"ERR max request size exceeded"}`: false},
			429: {``: true}, 500: {`{"error":"ERR x"}`: true}, 503: {``: true}, 404: {`<html>`: true},
		} {
			for body, want := range bodies {
				_, err := scriptedClient(t, &scripted{attempts: []attempt{answer(status, body)}}).Get(t.Context(), "k")
				require.Error(t, err)
				assert.Equal(t, want, client.Unavailable(err), "%d %s: %v", status, body, err)
			}
		}
	})
	c := scriptedClient(t, &scripted{attempts: []attempt{answer(200, `{"result":null}`)}})
	_, err := c.Get(t.Context(), "k")
	assert.ErrorIs(t, err, client.ErrNil)
	assert.False(t, client.Unavailable(err))
	_, err = c.Set(t.Context(), "k", nil)
	assert.False(t, client.Unavailable(err))
	assert.EqualError(t, err, "client: SET: nil is not a value")
	_, err = c.Get(t.Context(), "k")
	assert.EqualError(t, err, "client: GET: nil reply")
	c = scriptedClient(t, &scripted{attempts: []attempt{answer(200, `{"result":[]}`)}})
	_, err = c.Get(t.Context(), "k")
	assert.ErrorIs(t, err, client.ErrProtocol, "another shape than the command has")
	assert.False(t, client.Unavailable(err), "but Redis answered")
	assert.False(t, client.Unavailable(nil))
	assert.False(t, client.Unavailable(os.ErrNotExist))
}
