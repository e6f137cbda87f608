package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cldcde/restash/upstashtest"
)

// serveOptions are the flags of serve. A flag counts more than its variable,
// which counts more than one of serverless-redis-http.
type serveOptions struct {
	addr, token, readOnlyToken string
	redis, data, plan          string
	latency                    time.Duration
	faults                     uint64
	check                      bool

	patience time.Duration // how long to wait for the Redis of --redis
}

// fromEnvironment sets the flags that were not given.
func (o *serveOptions) fromEnvironment(cmd *cobra.Command) error {
	if os.Getenv("RESTASH_CONTAINER") != "" && !given(cmd, "addr") {
		o.addr = containerAddr
	}
	if err := fromSRH(cmd, o); err != nil {
		return err
	}
	var err error
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		name := "RESTASH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := os.Getenv(name)
		if value == "" || f.Name == "check" || given(cmd, f.Name) {
			return
		}
		if bad := f.Value.Set(value); bad != nil {
			err = errors.Join(err, &usageError{fmt.Errorf("%s: %w", name, bad)})
		}
	})
	switch {
	case err != nil:
		return err
	case o.data != "" && o.redis != "":
		return &usageError{errors.New("--data and --redis exclude each other: a Redis keeps its data itself")}
	case o.latency < 0:
		return &usageError{fmt.Errorf("--latency is %s, want 0 or more", o.latency)}
	}
	return nil
}

// containerAddr is the default where RESTASH_CONTAINER is set, as in the image:
// a loopback address could not be reached from outside.
const containerAddr = ":8079"

// given reports whether a flag stands in the command line.
func given(cmd *cobra.Command, name string) bool { return cmd.Flags().Changed(name) }

// fromSRH understands the variables of serverless-redis-http, so that a
// compose file needs no other change than the image's name.
func fromSRH(cmd *cobra.Command, o *serveOptions) error {
	mode, token, redis, port := os.Getenv("SRH_MODE"), os.Getenv("SRH_TOKEN"), os.Getenv("SRH_CONNECTION_STRING"), os.Getenv("SRH_PORT")
	if mode == "" && token == "" && redis == "" && port == "" {
		return nil
	}
	if mode != "" && mode != "env" {
		return &usageError{fmt.Errorf("SRH_MODE=%s is not understood: name one Redis by SRH_CONNECTION_STRING or RESTASH_REDIS", mode)}
	}
	if port == "" {
		port = "80" // SRH's own
	}
	if !given(cmd, "addr") {
		o.addr = net.JoinHostPort("", port)
	}
	if token != "" && !given(cmd, "token") {
		o.token = token
	}
	if redis != "" && !given(cmd, "redis") {
		o.redis = withoutQuery(redis)
		o.patience = 30 * time.Second // compose starts both at once
	}
	return nil
}

// withoutQuery drops parameters that only serverless-redis-http knows.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.RawQuery = ""
	return u.String()
}

var plans = map[string]upstashtest.Limits{
	"free": upstashtest.Free, "payg": upstashtest.PayAsYouGo, "old-free": upstashtest.OldFree, "vercel-kv": upstashtest.VercelKV,
	"250mb": upstashtest.Fixed250MB, "1gb": upstashtest.Fixed1GB, "5gb": upstashtest.Fixed5GB, "10gb": upstashtest.Fixed10GB,
	"50gb": upstashtest.Fixed50GB, "100gb": upstashtest.Fixed100GB, "500gb": upstashtest.Fixed500GB,
}

func planNames() []string { return slices.Sorted(maps.Keys(plans)) }

func planLimits(name string) (upstashtest.Limits, error) {
	limits, ok := plans[strings.ToLower(name)]
	if name != "" && !ok {
		return limits, &usageError{fmt.Errorf("--plan: there is no plan %q, only %s", name, strings.Join(planNames(), ", "))}
	}
	return limits, nil
}
