package client_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"net/http"
)

func TestStatsAndTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(r *http.Request) (*http.Response, error) {
			time.Sleep(60 * time.Millisecond) // longer than the wait before the last retry
			return good(r)
		}
		var events []string
		var done []client.DoneInfo
		s := &scripted{attempts: []attempt{slow, answer(429, "", "Retry-After", "1"), answer(200, `[{"result":1},{"result":2}]`), refused}}
		c := scriptedClient(t, s, func(cfg *client.Config) {
			cfg.MaxRetries = 1
			cfg.Trace = &client.Trace{
				Start: func(ctx context.Context, i client.StartInfo) context.Context {
					events = append(events, "start "+i.Command)
					return ctx
				},
				Retry: func(_ context.Context, i client.RetryInfo) {
					events = append(events, "retry "+i.Command+" "+i.Sent.String())
				},
				Done: func(_ context.Context, i client.DoneInfo) {
					events = append(events, "done "+i.Command)
					done = append(done, i)
				},
			}
		})
		assert.Equal(t, client.Stats{}, c.Stats())
		_, err := c.Incr(t.Context(), "k")
		require.NoError(t, err)
		_, err = c.Batch(t.Context(), command.Incr("a"), command.Incr("b"))
		require.NoError(t, err)
		_, err = c.Get(t.Context(), "k")
		require.Error(t, err)

		assert.Equal(t, []string{
			"start INCR", "done INCR", "start pipeline", "retry pipeline no", "done pipeline", "start GET", "retry GET no", "done GET",
		}, events)
		assert.Equal(t, 2, done[1].Attempts)
		assert.Equal(t, 2, done[1].Commands)
		assert.Equal(t, 200, done[1].Status)
		assert.ErrorIs(t, done[2].Err, client.ErrTransport)

		got := c.Stats()
		assert.Equal(t, int64(5), got.Requests)
		assert.Equal(t, int64(7), got.Commands)
		assert.Equal(t, int64(2), got.Retries)
		assert.Equal(t, int64(1), got.Failures)
		assert.Equal(t, int64(len(`{"result":1}`)+len(`[{"result":1},{"result":2}]`)), got.BytesIn)
		assert.InEpsilon(t, 60*time.Millisecond, got.LatencyP50, 0.07)
		assert.InEpsilon(t, time.Second, got.LatencyP99, 0.07)
	})
}

func TestANilTraceAndAnEmptyOneAreSilent(t *testing.T) {
	for _, trace := range []*client.Trace{nil, {}} {
		s := &scripted{attempts: []attempt{refused, good}}
		_, err := scriptedClient(t, s, func(cfg *client.Config) { cfg.Trace = trace }).Incr(t.Context(), "k")
		require.NoError(t, err)
	}
}
