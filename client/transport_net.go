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

// viaHost is what the transport needs besides: nothing, where there are sockets.
func viaHost(t *http.Transport) http.RoundTripper { return t }
