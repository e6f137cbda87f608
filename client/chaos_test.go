package client_test

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chaos stands between a client and a server and spoils 30 % of the calls.
type chaos struct{ server http.RoundTripper }

func (c chaos) RoundTrip(r *http.Request) (*http.Response, error) {
	if rand.N(100) >= 30 {
		return c.server.RoundTrip(r)
	}
	switch rand.N(8) {
	case 0: // refused before anything was sent
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	case 1: // no connection at all
		httptrace.ContextClientTrace(r.Context()).GetConn("")
		return nil, errors.New("tls: handshake failure")
	case 2:
		return page(429, "slow down"), nil
	case 3: // a gateway that did not pass it on
		return page(502, "<html>Bad Gateway</html>"), nil
	case 4: // a gateway that passed it on and lost the answer
		if resp, err := c.server.RoundTrip(r); err == nil {
			resp.Body.Close()
		}
		return page(502, "<html>Bad Gateway</html>"), nil
	case 5: // executed, then reset
		if resp, err := c.server.RoundTrip(r); err == nil {
			resp.Body.Close()
		}
		return nil, io.ErrUnexpectedEOF
	case 6: // executed, the body cut or spoilt
		return spoilt(c.server.RoundTrip(r))
	}
	time.Sleep(time.Duration(rand.N(200)) * time.Millisecond)
	return c.server.RoundTrip(r)
}

func page(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body))}
}

func spoilt(resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	cutAt := rand.N(len(body))
	switch rand.N(3) {
	case 0: // the connection breaks
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:cutAt])), errReader{io.ErrUnexpectedEOF}))
	case 1: // the end looks regular
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(string(body[:cutAt]))), -1
	default:
		return page(200, "<html>Welcome to the hotel's network</html>"), nil
	}
	return resp, nil
}

// TestChaos counts: what a caller was told must be what happened.
func TestChaos(t *testing.T) {
	for name, format := range map[string]client.Encoding{"JSON": client.JSON, "RESP2": client.RESP2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { incrUnderChaos(t, format) })
		})
	}
}

func incrUnderChaos(t *testing.T, format client.Encoding) {
	const calls, callers = 10_000, 20
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	c, err := client.New(client.Config{
		URL: srv.URL, Token: srv.Token, Encoding: format, Logger: slog.New(slog.DiscardHandler),
		HTTPClient: &http.Client{Transport: chaos{srv.HTTPClient().Transport}},
	})
	require.NoError(t, err)
	var successes, unknown, sure atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range calls / callers {
				_, err := c.Incr(t.Context(), "n")
				var e *client.Error
				switch {
				case err == nil:
					successes.Add(1)
				case errors.As(err, &e) && e.Sent == client.SentUnknown:
					unknown.Add(1)
				case errors.As(err, &e) && e.Sent == client.SentNo:
					sure.Add(1)
				default:
					t.Errorf("unexpected: %v", err)
				}
			}
		})
	}
	wg.Wait()
	r, err := srv.Do("GET", "n")
	require.NoError(t, err)
	counter, err := command.As[int64](command.Get("n")).Decode(r)
	require.NoError(t, err)
	assert.LessOrEqual(t, successes.Load(), counter)
	assert.LessOrEqual(t, counter, successes.Load()+unknown.Load())
	assert.Greater(t, successes.Load(), int64(calls*3/4))
	assert.Greater(t, unknown.Load(), int64(0))
	t.Logf("%d succeeded, %d unknown, %d surely not executed; the counter is %d",
		successes.Load(), unknown.Load(), sure.Load(), counter)
	require.NoError(t, c.Close())
}
