package pipeline_test

import (
	"net/http"
	"testing"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// local returns a client of a server in memory.
func local(t testing.TB) (*client.Client, *upstashtest.Server) {
	t.Helper()
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	return over(t, srv, srv.HTTPClient().Transport), srv
}

// over returns a client of the server through another transport.
func over(t testing.TB, srv *upstashtest.Server, tr http.RoundTripper) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: &http.Client{Transport: tr}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
