package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What tools leave around a value does not count, in any variable.
func TestEnvQuotesAreTrimmed(t *testing.T) {
	for _, around := range []string{"%s", `"%s"`, "'%s'", " %s\n", ` "%s" `} {
		t.Setenv("UPSTASH_REDIS_REST_URL", fmt.Sprintf(around, "http://redis-http:8079"))
		t.Setenv("UPSTASH_REDIS_REST_TOKEN", fmt.Sprintf(around, "tok"))
		t.Setenv("UPSTASH_REDIS_REST_ALLOW_HTTP", fmt.Sprintf(around, "other, redis-http"))
		t.Setenv("UPSTASH_REDIS_REST_TIMEOUT", fmt.Sprintf(around, "1500ms"))
		t.Setenv("UPSTASH_REDIS_REST_MAX_CONNS", fmt.Sprintf(around, "7"))
		cfg, err := client.ConfigFromEnv()
		require.NoError(t, err)
		assert.Equal(t, client.Config{
			URL: "http://redis-http:8079", Token: "tok", AllowHTTP: []string{"other", "redis-http"},
			Timeout: 1500 * time.Millisecond, MaxConns: 7,
		}, cfg, "%q", around)
		c, err := client.FromEnv()
		require.NoError(t, err, "a host of a compose file is allowed by name")
		require.NoError(t, c.Close())
	}
}

func TestEnvWrongValuesNameTheirVariable(t *testing.T) {
	t.Setenv("UPSTASH_REDIS_REST_URL", "http://redis-http:8079")
	t.Setenv("UPSTASH_REDIS_REST_TOKEN", "tok")
	_, err := client.FromEnv()
	assert.ErrorContains(t, err, "UPSTASH_REDIS_REST_ALLOW_HTTP")
	for name, bad := range map[string][]string{
		"UPSTASH_REDIS_REST_TIMEOUT": {"5", "-1s", "0s", "soon"}, "UPSTASH_REDIS_REST_MAX_CONNS": {"0", "-1", "many"},
	} {
		for _, v := range bad {
			t.Setenv(name, v)
			_, err := client.FromEnv()
			assert.ErrorContains(t, err, name, v)
		}
		t.Setenv(name, "")
	}
}

// The console shows the share of repeats by a field that repeats carry.
func TestRepeatsAreCounted(t *testing.T) {
	for _, off := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var seen []string
			c := scriptedClient(t, &scripted{attempts: []attempt{func(r *http.Request) (*http.Response, error) {
				seen = append(seen, r.Header.Get("Upstash-Telemetry-Retry"))
				return nil, errors.New("reset")
			}}}, func(cfg *client.Config) { cfg.MaxRetries = 2; cfg.DisableTelemetry = off })
			_, err := c.Get(t.Context(), "k")
			require.Error(t, err)
			if off {
				assert.Equal(t, []string{"", "", ""}, seen)
			} else {
				assert.Equal(t, []string{"", "1", "2"}, seen)
			}
		})
	}
}

func TestUnavailableSentinels(t *testing.T) {
	for err, want := range map[error]bool{
		client.ErrTransport: true, client.ErrAuth: true, client.ErrQuota: true,
		client.ErrWrongType: false, client.ErrNil: false, client.ErrClosed: false,
	} {
		assert.Equal(t, want, client.Unavailable(err), err)
		assert.Equal(t, want, client.Unavailable(fmt.Errorf("wrapped: %w", err)), err)
	}
}

// The zero value of an option is none, and sends no empty word.
func TestZeroOptionsAreRefused(t *testing.T) {
	for _, err := range []error{
		command.Set("k", "v", command.Existence{}).Err(), command.Set("k", "v", command.Expiry{}).Err(),
		command.Expire("k", time.Second, command.Compare{}).Err(), command.ZAdd("z", nil, command.Existence{}).Err(),
	} {
		assert.ErrorContains(t, err, "is no option")
	}
}
