//go:build !js

package client

import (
	"context"
	"net"
	"net/http"
)

// dialer makes connections.
func dialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
}

// viaHost is what the transport needs besides: where it may speak HTTP/2, requests
// that open the first connection together would open one each.
func viaHost(t *http.Transport) http.RoundTripper {
	if !t.Protocols.HTTP2() {
		return t
	}
	return &opening{Transport: t}
}
