package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestRunAnswersWithoutSettings(t *testing.T) {
	for _, name := range []string{"DATABASE_URL", "POSTGRES_URL", "UPSTASH_REDIS_REST_URL", "KV_REST_API_URL"} {
		t.Setenv(name, "")
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	address, ended := free(t), make(chan error, 1)
	go func() { ended <- run(ctx, address) }()
	var status int
	var body []byte
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/api/extensions")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		status = resp.StatusCode
		body, err = io.ReadAll(resp.Body)
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, string(body), `"code":"unavailable"`)
	stop()
	assert.NoError(t, <-ended)
}

func TestRunSaysThatTheAddressIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	assert.ErrorContains(t, run(t.Context(), l.Addr().String()), "in use")
}

func TestPort(t *testing.T) {
	t.Setenv("PORT", "")
	assert.Equal(t, "3000", port())
	t.Setenv("PORT", "8123")
	assert.Equal(t, "8123", port())
}
