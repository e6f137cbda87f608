package client_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusedRequestsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &scripted{attempts: []attempt{answer(401, `{"error":"WRONGPASS invalid or missing auth token"}`)}}
		c := scriptedClient(t, s, func(cfg *client.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		lines := func() int { return strings.Count(log.String(), "\n") }
		for range 10 {
			_, err := c.Set(t.Context(), "k", "s3cret")
			require.ErrorIs(t, err, client.ErrAuth)
			_, err = c.Batch(t.Context(), command.Get("k"), command.Get("l"))
			require.ErrorIs(t, err, client.ErrAuth)
		}
		assert.Equal(t, 1, lines())
		assert.Contains(t, log.String(), "level=WARN")
		assert.Contains(t, log.String(), "command=SET status=401")
		time.Sleep(time.Minute)
		_, _ = c.Get(t.Context(), "k")
		assert.Equal(t, 2, lines())
		assert.NotContains(t, log.String(), "s3cret")

		s.attempts = []attempt{answer(400, `{"error":"ERR no"}`), refused}
		time.Sleep(time.Minute)
		_, _ = c.Get(t.Context(), "k")
		assert.Equal(t, 2, lines(), "what callers are told needs no log")
	})
}
