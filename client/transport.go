package client

import (
	"crypto/tls"
	"math"
	"net/http"
	"os"
	"time"
)

// The times of the transport. A connection that is not there in a few
// seconds will not come; the stdlib waits 30 s.
const (
	dialTimeout      = 2 * time.Second
	handshakeTimeout = 3 * time.Second
	keepAlive        = 15 * time.Second
	idleTimeout      = 45 * time.Second // below any load balancer's
)

// newTransport returns the transport of clients that bring none.
func newTransport(maxConns int) *http.Transport {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer(),
		TLSHandshakeTimeout:   handshakeTimeout,
		MaxIdleConnsPerHost:   math.MaxInt, // as many as there were; 0 would be 2
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			// After a thaw every connection is new: resumption saves the
			// certificates and most of the CPU.
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
		Protocols: new(http.Protocols),
	}
	if maxConns > 0 {
		t.MaxConnsPerHost = maxConns
		t.MaxIdleConns, t.MaxIdleConnsPerHost = maxConns, maxConns
	}
	t.Protocols.SetHTTP1(true)
	if !oneAtATime() {
		t.Protocols.SetHTTP2(true)
		// Without pings a connection that was dropped silently hangs each
		// request up to its timeout.
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 2 * time.Second}
	}
	return t
}

// oneAtATime reports whether this platform runs one request at a time, where
// HTTP/1.1 is enough and behaves better when a connection turns out dead.
func oneAtATime() bool {
	return os.Getenv("VERCEL") != "" || os.Getenv("AWS_LAMBDA_FUNCTION_NAME") != ""
}

// keepIdle hides CloseIdleConnections of a transport: go-retryablehttp calls
// it after each final failure, also when only the caller's context ended, and
// would throw away the connections of everybody else.
type keepIdle struct{ http.RoundTripper }

// httpClients returns the client for commands, the one for streams, and what
// drops idle connections. A redirect is never followed: it would turn a POST
// into a GET, or carry the token elsewhere.
func httpClients(cfg Config) (calls, streams *http.Client, dropIdle func()) {
	var base http.Client
	if cfg.HTTPClient != nil {
		base = *cfg.HTTPClient
	}
	if base.CheckRedirect == nil {
		base.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	forStreams := base
	forStreams.Timeout = 0
	switch {
	case cfg.HTTPClient == nil:
		base.Transport = viaHost(newTransport(cfg.MaxConns))
		forStreams.Transport = viaHost(newTransport(NoLimit))
	case base.Transport == nil:
		base.Transport, forStreams.Transport = http.DefaultTransport, http.DefaultTransport
	}
	visible := base
	base.Transport = keepIdle{attempts{base.Transport}}
	if cfg.HTTPClient != nil {
		return &base, &forStreams, visible.CloseIdleConnections
	}
	return &base, &forStreams, func() {
		visible.CloseIdleConnections()
		forStreams.CloseIdleConnections()
	}
}
