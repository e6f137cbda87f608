package client

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// EnvOption varies how [FromEnv] and [ConfigFromEnv] look at the environment.
type EnvOption func(*envConfig)

type envConfig struct{ prefix string }

// EnvPrefix puts p before the names of the variables, as Vercel's
// integrations do: EnvPrefix("CACHE_") looks for
// CACHE_UPSTASH_REDIS_REST_URL and CACHE_KV_REST_API_URL.
func EnvPrefix(p string) EnvOption { return func(c *envConfig) { c.prefix = p } }

// envPairs are looked at in this order. A URL of one pair is never used with
// the token of another: they may belong to two databases.
var envPairs = [...][2]string{
	{"UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"},
	{"KV_REST_API_URL", "KV_REST_API_TOKEN"},
}

// ConfigFromEnv returns a Config with URL and Token from the environment:
// UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or else
// KV_REST_API_URL and KV_REST_API_TOKEN. Half of a pair is an error.
func ConfigFromEnv(opts ...EnvOption) (Config, error) {
	var e envConfig
	for _, o := range opts {
		o(&e)
	}
	var looked []string
	for _, p := range envPairs {
		urlName, tokenName := e.prefix+p[0], e.prefix+p[1]
		url, token := os.Getenv(urlName), os.Getenv(tokenName)
		switch {
		case url != "" && token != "":
			return Config{URL: url, Token: token}, nil
		case url != "":
			return Config{}, fmt.Errorf("client: %s is set but %s is not", urlName, tokenName)
		case token != "":
			return Config{}, fmt.Errorf("client: %s is set but %s is not", tokenName, urlName)
		}
		looked = append(looked, urlName+" and "+tokenName)
	}
	return Config{}, fmt.Errorf("client: no database in the environment: looked for %s", strings.Join(looked, ", then "))
}

// FromEnv returns a client for the database that the environment names, see
// [ConfigFromEnv].
func FromEnv(opts ...EnvOption) (*Client, error) {
	cfg, err := ConfigFromEnv(opts...)
	if err != nil {
		return nil, err
	}
	c, err := New(cfg)
	if err != nil {
		return nil, fmt.Errorf("%w (URL from %s)", err, urlVariable(opts))
	}
	return c, nil
}

// urlVariable names the variable that the URL came from.
func urlVariable(opts []EnvOption) string {
	var e envConfig
	for _, o := range opts {
		o(&e)
	}
	for _, p := range envPairs {
		if os.Getenv(e.prefix+p[0]) != "" {
			return e.prefix + p[0]
		}
	}
	return "the environment"
}

var shared struct {
	mu sync.Mutex
	c  *Client
}

// Default returns the one client of this process, made by [FromEnv] at the
// first call. A failure is not remembered: the next call tries again. Do not
// close it.
func Default() (*Client, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.c != nil {
		return shared.c, nil
	}
	c, err := FromEnv()
	if err != nil {
		return nil, err
	}
	shared.c = c
	return c, nil
}
