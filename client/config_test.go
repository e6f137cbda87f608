package client_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewNamesTheFieldThatIsWrong(t *testing.T) {
	valid := client.Config{URL: "https://x.upstash.io", Token: "s3cret"}
	for problem, change := range map[string]func(*client.Config){
		"Config.URL is empty":                     func(c *client.Config) { c.URL = "" },
		"Config.URL cannot be parsed":             func(c *client.Config) { c.URL = "https://%zz" },
		"Config.URL is a Redis address":           func(c *client.Config) { c.URL = "rediss://default:s3cret@x.upstash.io:6379" },
		"Config.URL must begin with https":        func(c *client.Config) { c.URL = "x.upstash.io" },
		"Config.URL has no host":                  func(c *client.Config) { c.URL = "https://" },
		"Config.URL holds credentials":            func(c *client.Config) { c.URL = "https://u:s3cret@x.upstash.io" },
		"Config.URL has a query":                  func(c *client.Config) { c.URL = "https://x.upstash.io?_token=s3cret" },
		"Config.URL would send the token without": func(c *client.Config) { c.URL = "http://x.upstash.io" },
		"Config.Token is empty":                   func(c *client.Config) { c.Token = "" },
		"Config.Token holds a character":          func(c *client.Config) { c.Token = "s3cret\n" },
		"Config.Timeout is negative":              func(c *client.Config) { c.Timeout = -1 },
		"Config.MaxRetries":                       func(c *client.Config) { c.MaxRetries = -2 },
		"Config.MaxConns":                         func(c *client.Config) { c.MaxConns = -2 },
		"Config.Encoding":                         func(c *client.Config) { c.Encoding = 9 },
		"Config.Limits":                           func(c *client.Config) { c.Limits.Key = -2 },
	} {
		cfg := valid
		change(&cfg)
		_, err := client.New(cfg)
		require.ErrorContains(t, err, problem)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	_, err := client.New(valid)
	assert.NoError(t, err)
}

func TestPlainHTTP(t *testing.T) {
	for url, allowed := range map[string]bool{
		"http://localhost:8079": true, "http://127.0.0.1:1": true, "http://[::1]:1": true,
		"http://redis.internal": false, "http://127.0.0.1.evil.example": false, "http://localhost.evil.example": false,
	} {
		_, err := client.New(client.Config{URL: url, Token: "t"})
		assert.Equal(t, allowed, err == nil, url)
	}
	_, err := client.New(client.Config{URL: "http://redis.internal:80", Token: "t", AllowHTTP: []string{"redis.internal"}})
	assert.NoError(t, err)
}

func TestFromEnv(t *testing.T) {
	clear := func(t *testing.T) {
		for _, name := range []string{"UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_URL", "KV_REST_API_TOKEN"} {
			t.Setenv(name, "")
		}
	}
	t.Run("nothing", func(t *testing.T) {
		clear(t)
		_, err := client.FromEnv()
		assert.EqualError(t, err, "client: no database in the environment: looked for UPSTASH_REDIS_REST_URL and "+
			"UPSTASH_REDIS_REST_TOKEN, then KV_REST_API_URL and KV_REST_API_TOKEN")
	})
	t.Run("upstash first", func(t *testing.T) {
		clear(t)
		t.Setenv("UPSTASH_REDIS_REST_URL", "https://a")
		t.Setenv("UPSTASH_REDIS_REST_TOKEN", "ta")
		t.Setenv("KV_REST_API_URL", "https://b")
		t.Setenv("KV_REST_API_TOKEN", "tb")
		cfg, err := client.ConfigFromEnv()
		require.NoError(t, err)
		assert.Equal(t, client.Config{URL: "https://a", Token: "ta"}, cfg)
	})
	t.Run("never mixed", func(t *testing.T) {
		clear(t)
		t.Setenv("UPSTASH_REDIS_REST_URL", "https://a")
		t.Setenv("KV_REST_API_TOKEN", "tb")
		_, err := client.FromEnv()
		assert.EqualError(t, err, "client: UPSTASH_REDIS_REST_URL is set but UPSTASH_REDIS_REST_TOKEN is not")
	})
	t.Run("prefix", func(t *testing.T) {
		clear(t)
		t.Setenv("CACHE_KV_REST_API_URL", "https://b")
		t.Setenv("CACHE_KV_REST_API_TOKEN", "tb")
		cfg, err := client.ConfigFromEnv(client.EnvPrefix("CACHE_"))
		require.NoError(t, err)
		assert.Equal(t, "tb", cfg.Token)
		_, err = client.ConfigFromEnv()
		assert.Error(t, err)
	})
	t.Run("default is made once", func(t *testing.T) {
		clear(t)
		client.ForgetDefault()
		t.Cleanup(client.ForgetDefault)
		_, err := client.Default()
		require.Error(t, err, "a failure is not remembered")
		t.Setenv("KV_REST_API_URL", "https://b")
		t.Setenv("KV_REST_API_TOKEN", "tb")
		a, err := client.Default()
		require.NoError(t, err)
		b, err := client.Default()
		require.NoError(t, err)
		assert.Same(t, a, b)
	})
}

func TestTransportSettings(t *testing.T) {
	tr := client.NewTransport(7)
	assert.Equal(t, 7, tr.MaxConnsPerHost)
	assert.Equal(t, 7, tr.MaxIdleConnsPerHost)
	assert.NotNil(t, tr.TLSClientConfig.ClientSessionCache, "TLS sessions are resumed")
	assert.NotNil(t, tr.Proxy)
	assert.Equal(t, 3*time.Second, tr.TLSHandshakeTimeout)
	assert.True(t, tr.Protocols.HTTP1() && tr.Protocols.HTTP2())
	assert.Equal(t, 5*time.Second, tr.HTTP2.SendPingTimeout)
	assert.Zero(t, client.NewTransport(client.NoLimit).MaxConnsPerHost)
	for _, name := range []string{"VERCEL", "AWS_LAMBDA_FUNCTION_NAME"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "1")
			assert.False(t, client.NewTransport(1).Protocols.HTTP2())
		})
	}
}

func TestLimits(t *testing.T) {
	s := &scripted{attempts: []attempt{good}}
	c := scriptedClient(t, s)
	assert.Equal(t, client.Limits{Value: 512 << 10, Key: 32 << 10, Request: 10 << 20, Reply: 32 << 20}, c.Limits())
	long := func(n int) string { return string(make([]byte, n)) }
	for _, call := range []func() error{
		func() error { _, err := c.Set(t.Context(), "k", long(512<<10+1)); return err },
		func() error { _, err := c.Get(t.Context(), long(32<<10+1)); return err },
		func() error { _, err := c.MGet(t.Context(), "a", long(32<<10+1)); return err },
		func() error {
			many := make([]any, 21)
			for i := range many {
				many[i] = long(500 << 10)
			}
			_, err := c.SAdd(t.Context(), "k", many...)
			return err
		},
	} {
		err := call()
		require.ErrorIs(t, err, client.ErrTooLarge)
		var e *client.Error
		require.ErrorAs(t, err, &e)
		assert.Zero(t, e.Attempts)
		assert.Equal(t, client.SentNo, e.Sent)
		assert.False(t, client.Unavailable(err))
	}
	assert.Zero(t, s.calls, "nothing was sent")

	_, err := c.Exists(t.Context(), long(32<<10))
	assert.NoError(t, err)
	free := scriptedClient(t, s, func(cfg *client.Config) {
		cfg.Limits = client.Limits{Value: client.NoLimit, Key: client.NoLimit, Request: client.NoLimit}
	})
	_, err = free.Exists(t.Context(), long(11<<20))
	assert.NoError(t, err)
}

func TestTelemetry(t *testing.T) {
	header := func(t *testing.T, change func(*client.Config)) (h http.Header) {
		s := &scripted{attempts: []attempt{func(r *http.Request) (*http.Response, error) {
			h = r.Header
			return good(r)
		}}}
		_, err := scriptedClient(t, s, change).Exists(t.Context(), "k")
		require.NoError(t, err)
		return h
	}
	h := header(t, func(*client.Config) {})
	assert.Equal(t, "restash-go@"+client.Version(), h.Get("Upstash-Telemetry-Sdk"))
	assert.Equal(t, "unknown", h.Get("Upstash-Telemetry-Platform"))
	assert.Regexp(t, `^go@`, h.Get("Upstash-Telemetry-Runtime"))
	assert.Empty(t, header(t, func(c *client.Config) { c.DisableTelemetry = true }).Get("Upstash-Telemetry-Sdk"))
	t.Setenv("VERCEL", "1")
	assert.Equal(t, "vercel", header(t, func(*client.Config) {}).Get("Upstash-Telemetry-Platform"))
	t.Setenv("UPSTASH_DISABLE_TELEMETRY", "1")
	assert.Empty(t, header(t, func(*client.Config) {}).Get("Upstash-Telemetry-Sdk"))
}

func TestClosed(t *testing.T) {
	s := &scripted{attempts: []attempt{good}}
	c := scriptedClient(t, s)
	require.NoError(t, c.Close())
	assert.Equal(t, 1, s.idle)
	_, err := c.Get(t.Context(), "k")
	require.ErrorIs(t, err, client.ErrClosed)
	for _, err := range c.Subscribe(t.Context(), "ch") {
		require.ErrorIs(t, err, client.ErrClosed)
	}
	assert.Zero(t, s.calls)
}
