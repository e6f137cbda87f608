package client

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/hashicorp/go-retryablehttp"
)

// Client sends commands to one database. It may be used by any number of
// goroutines at once, and should live as long as the process: it keeps
// connections, TLS sessions and the sync token.
type Client struct {
	cfg       Config
	base      url.URL
	token     secret
	telemetry telemetry
	retry     *retryablehttp.Client
	streams   *http.Client
	dropIdle  func()
	trace     *Trace
	sync      syncToken
	stats     counters
	lastUse   atomic.Int64 // wall clock, in ns
	lastWarn  atomic.Int64 // wall clock, in ns
	closed    atomic.Bool
	life      context.Context // ends with Close; streams listen to it
	end       context.CancelFunc
	shared    *coalescer // nil if callers share no requests
}
