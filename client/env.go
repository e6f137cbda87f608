package client

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
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
// KV_REST_API_URL and KV_REST_API_TOKEN. Half of a pair is an error. White space
// and one pair of quotes around a value, as some tools leave them there, do not
// count.
//
// Three more are read if they are set: UPSTASH_REDIS_REST_ALLOW_HTTP lists hosts
// for AllowHTTP, with commas between them, such as the name of a container;
// UPSTASH_REDIS_REST_TIMEOUT is Timeout, as "5s" or "500ms";
// UPSTASH_REDIS_REST_MAX_CONNS is MaxConns.
func ConfigFromEnv(opts ...EnvOption) (Config, error) {
	var e envConfig
	for _, o := range opts {
		o(&e)
	}
	var looked []string
	for _, p := range envPairs {
		urlName, tokenName := e.prefix+p[0], e.prefix+p[1]
		url, token := getenv(urlName), getenv(tokenName)
		switch {
		case url != "" && token != "":
			return e.rest(Config{URL: url, Token: token})
		case url != "":
			return Config{}, fmt.Errorf("client: %s is set but %s is not", urlName, tokenName)
		case token != "":
			return Config{}, fmt.Errorf("client: %s is set but %s is not", tokenName, urlName)
		}
		looked = append(looked, urlName+" and "+tokenName)
	}
	return Config{}, fmt.Errorf("client: no database in the environment: looked for %s", strings.Join(looked, ", then "))
}

// getenv reads a variable without white space and quotes around its value: an
// env file that another tool read keeps them.
func getenv(name string) string {
	v := strings.TrimSpace(os.Getenv(name))
	if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
		v = strings.TrimSpace(v[1 : n-1])
	}
	return v
}

// rest adds what else the environment says.
func (e envConfig) rest(cfg Config) (Config, error) {
	const name = "UPSTASH_REDIS_REST_"
	for host := range strings.SplitSeq(getenv(e.prefix+name+"ALLOW_HTTP"), ",") {
		if host = strings.TrimSpace(host); host != "" {
			cfg.AllowHTTP = append(cfg.AllowHTTP, host)
		}
	}
	var err error
	if v := getenv(e.prefix + name + "TIMEOUT"); v != "" {
		if cfg.Timeout, err = time.ParseDuration(v); err != nil || cfg.Timeout <= 0 {
			return Config{}, fmt.Errorf("client: %s%sTIMEOUT is not a time such as 5s", e.prefix, name)
		}
	}
	if v := getenv(e.prefix + name + "MAX_CONNS"); v != "" {
		if cfg.MaxConns, err = strconv.Atoi(v); err != nil || cfg.MaxConns < 1 {
			return Config{}, fmt.Errorf("client: %s%sMAX_CONNS is not a number from 1 up", e.prefix, name)
		}
	}
	return cfg, nil
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
		if getenv(e.prefix+p[0]) != "" {
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
